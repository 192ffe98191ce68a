import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** As Debian calls it, Ubuntu, and who publishes it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const executablePath = NAMES.map((name) => Bun.which(name)).find((path) => path !== null) ?? "";
export const hasChromium = executablePath !== "";
/** For a test's name. */
export const skipped = hasChromium ? "" : ` (skipped: no ${NAMES.join(", ")} on the PATH)`;

const WAIT_MS = 8000;

/** What pages must never do. */
export interface Misdeeds {
  /** Requests to another origin than the page's own. */
  readonly foreign: string[];
  /** What the policy forbade, and errors that nobody caught. */
  readonly complaints: string[];
}

export interface Tab extends AsyncDisposable {
  readonly page: Page;
}

/** Tabs of one browser, each as if it were the first; what they do amiss is kept. */
export class Tabs {
  readonly misdeeds: Misdeeds = { foreign: [], complaints: [] };
  /** Of all tabs, to this server. */
  requests = 0;
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<Tabs> {
    // Chromium's own sandbox refuses to run as root, as tests in containers do.
    return new Tabs(await chromium.launch({ executablePath, chromiumSandbox: false }));
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const { origin } = new URL(url);
    page.on("request", (request) => {
      const to = new URL(request.url());
      if (to.protocol === "data:") return;
      if (to.origin === origin) this.requests += 1;
      else this.misdeeds.foreign.push(request.url());
    });
    page.on("pageerror", (error) => this.misdeeds.complaints.push(error.message));
    page.on("console", (message) => {
      const text = message.text();
      // An answer that is an error is one that a test asked for.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
        this.misdeeds.complaints.push(text);
      }
    });
    await page.goto(url);
    return { page, [Symbol.asyncDispose]: () => context.close() };
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}
