import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openSearchIndex, similarity } from "../../src/index.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { freshFolder } from "../fresh-folder.ts";
import { makeIndex } from "../server/documents.ts";
import { type Started, startServer } from "../server/start.ts";
import { hasChromium, skipped, Tabs } from "./browser.ts";

// A test that Bun ends takes the browser with it: waiting for the page fails first.
setDefaultTimeout(20_000);
const model = tinyModel();
const TEXTS = ["a cat on a mat", "a dog in the sun", "rates rise again", "a kitten sleeps"];
const folder = freshFolder();
const NARROW = { viewport: { width: 360, height: 740 } };
const KEY = "one-key";
const AXE = hasChromium ? readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") : "";
let tabs: Tabs;
let started: Started;

describe.skipIf(!hasChromium)(`the page in Chromium${skipped}:`, () => {
  beforeAll(async () => {
    [tabs, started] = await Promise.all([Tabs.start(), startServer(model.path)]);
  }, 30_000);
  afterAll(async () => {
    await tabs.close();
    await started[Symbol.asyncDispose]();
  });

  const openTab = (options?: BrowserContextOptions) => tabs.open(started.url, options);

  test("the heat map has the similarities of the API's vectors", async () => {
    await using tab = await openTab();
    await embed(tab.page, TEXTS);
    await openTable(tab.page, "heat-details");
    const shown = await tab.page.locator("#heat-details data").evaluateAll(valuesOf);
    const vectors = await started.embedder.embed(TEXTS);
    const expected = vectors.flatMap((a) =>
      vectors.map((b) => similarity(a.embedding, b.embedding)),
    );
    expect(shown.length).toBe(16);
    for (const [i, value] of shown.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
    // The picture has as many colours as there are different values.
    const colours = await tab.page.evaluate<number>(COUNT_COLOURS);
    expect(colours).toBe(1 + 6);
  });

  test("figures, neighbours, map and tokens are those of the texts", async () => {
    await using tab = await openTab();
    const { page } = tab;
    await embed(page, TEXTS);
    const tokens = TEXTS.map((text) => started.embedder.tokenize(text));
    const total = tokens.reduce((sum, { length }) => sum + length, 0);
    expect(await page.textContent("#figure-texts")).toBe("4");
    expect(await page.textContent("#figure-tokens")).toBe(`${total}`);
    expect(await page.textContent("#figure-time")).toMatch(/^[\d.,]+ ms$/);
    expect(await page.textContent("#figure-speed")).toMatch(/^[\d,]+$/);
    expect(await page.textContent("#status")).toStartWith(`4 texts, ${total} tokens, in `);
    await page.selectOption("#chosen", "2");
    await waitForTokens(page, tokens[2]!);
    const vectors = await started.embedder.embed(TEXTS);
    const cosine = (i: number) => similarity(vectors[2]!.embedding, vectors[i]!.embedding);
    const order = [0, 1, 3].sort((a, b) => cosine(b) - cosine(a));
    const near = await page.locator("#near li > i").allTextContents();
    expect(near).toEqual(order.map((i) => `${i + 1}`));
    expect(await page.locator("#map g").count()).toBe(4);
    await page.locator('#map g[data-index="1"]').click();
    expect(await page.inputValue("#chosen")).toBe("1");
    await waitForTokens(page, tokens[1]!);
  });

  test("everything can be done with the keyboard", async () => {
    await using tab = await openTab();
    const { page } = tab;
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the results");
    await page.focus("#texts");
    await page.keyboard.type(TEXTS.join("\n"));
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector("#tokens li");
    const stops: string[] = [];
    for (let i = 0; i < 30 && stops.at(-1) !== "chosen"; i++) {
      await page.keyboard.press("Tab");
      stops.push(await focused(page));
      if (stops.at(-1) === "heat") {
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("End");
        expect(await page.textContent("#heat-readout")).toMatch(/ · 3 rates .* · 4 a kitten/);
        await page.keyboard.press("Enter");
        expect(await page.inputValue("#chosen")).toBe("2");
      }
      if (stops.at(-1) === "map") {
        await page.keyboard.press("ArrowRight");
        expect(await page.textContent("#map-readout")).toBe("4 a kitten sleeps");
        await page.keyboard.press("ArrowRight");
        expect(await page.inputValue("#chosen")).toBe("0");
      }
      if (stops.at(-1) === "As a table") await page.keyboard.press("Enter");
    }
    expect(stops).toEqual(expect.arrayContaining(["Embed", "heat", "map", "As a table", "chosen"]));
    for (const id of ["heat", "map"]) await page.waitForSelector(`#${id}-details table`);
    await page.keyboard.press("ArrowDown");
    expect(await page.inputValue("#chosen")).toBe("1");
  });

  test("texts are texts: no markup, and each in its own direction", async () => {
    await using tab = await openTab();
    const { page } = tab;
    const evil = "<script>document.title='no'</script><img src=x onerror=\"document.title='no'\">";
    await embed(page, [evil, "שלום עולם <b>", "مرحبا & وداعا", "中文 😀"]);
    for (const id of ["heat-details", "map-details"]) await openTable(page, id);
    await page.hover("#heat", { position: { x: 5, y: 5 } });
    expect(await page.locator("main script, main img, main b:not(.share b)").count()).toBe(0);
    expect(await page.title()).toBe("ggufembed");
    const near = page.locator("#near bdi");
    expect(await near.allTextContents()).toContain("שלום עולם <b>");
    const directions = await near.evaluateAll(directionsOf);
    expect(directions.sort()).toEqual(["ltr", "rtl", "rtl"]);
    await page.selectOption("#chosen", "3");
    expect(await page.textContent("#map-readout")).toBe("4 中文 😀");
  });

  test("of several models and of their tasks one is chosen", async () => {
    await using tab = await openTab();
    const { page } = tab;
    expect(await page.isVisible("#model")).toBe(false);
    await page.route("**/info", async (route) => {
      const info = await (await route.fetch()).json();
      const second = { ...info.models[0], id: "second", tasks: ["clustering"] };
      await route.fulfill({ json: { ...info, models: [...info.models, second] } });
    });
    await page.reload();
    await embed(page, TEXTS);
    const asked = () =>
      page.waitForRequest("**/v1/embeddings").then((request) => request.postDataJSON());
    const bySelecting = async (id: string, value: string) =>
      (await Promise.all([asked(), page.selectOption(id, value)]))[0];
    expect(await bySelecting("#model", "second")).toMatchObject({ model: "second", input: TEXTS });
    expect(await bySelecting("#task", "clustering")).toMatchObject({ task: "clustering" });
    // There is no such model, and the server says so.
    await page.getByText('there is no model "second" here').waitFor();
  });

  test("no text, one text and hundreds", async () => {
    await using tab = await openTab();
    const { page } = tab;
    expect(await page.isVisible("#empty")).toBe(true);
    await embed(page, ["alone"]);
    expect(await page.textContent("#near")).toContain("With a second text");
    expect(await page.isVisible("#legend")).toBe(false);
    const many = Array.from({ length: 340 }, (_, i) => `text ${i}`);
    await page.fill("#texts", many.join("\n"));
    await page.getByText("The first 200 of 340 texts are shown").waitFor();
    await page.getByText("200 texts, ").waitFor({ state: "attached" });
    expect(await page.locator("#map g").count()).toBe(200);
    await page.fill("#texts", "  \n ");
    await page.waitForSelector("#empty", { state: "visible" });
    expect(await page.textContent("#figure-texts")).toBe("–");
    expect(await page.isVisible("#notice")).toBe(false);
  });

  test("a text beyond the context is cut, and that is said", async () => {
    await using tab = await openTab();
    const { page } = tab;
    await embed(page, ["word ".repeat(300), "short"]);
    expect(await page.textContent("#notice")).toContain("reads 128 tokens");
    expect(await page.textContent("#token-note")).toContain("The model reads 128.");
    expect(await page.locator("#tokens .beyond").count()).toBeGreaterThan(100);
  });

  test("who types quickly sees the last, and what was on its way is cancelled", async () => {
    await using tab = await openTab();
    const { page } = tab;
    const sent: string[] = [];
    const failed: string[] = [];
    page.on("requestfailed", (request) => failed.push(request.failure()?.errorText ?? ""));
    const held = Promise.withResolvers<void>();
    await page.route("**/v1/embeddings", async (route) => {
      const [first = ""] = (route.request().postDataJSON() as { input: string[] }).input;
      sent.push(first);
      if (first === "old") await held.promise;
      // The one that was held is gone.
      await route.continue().catch(() => {});
    });
    await page.fill("#texts", "old\na");
    while (sent.length === 0) await Bun.sleep(5);
    await page.fill("#texts", "new\na\nb");
    await page.getByText("3 texts, ").waitFor({ state: "attached" });
    held.resolve();
    while (failed.length === 0) await Bun.sleep(5);
    expect(failed).toEqual(["net::ERR_ABORTED"]);
    expect(await page.textContent("#figure-texts")).toBe("3");
    expect(await page.isVisible("#problem")).toBe(false);
    expect(sent).toEqual(["old", "new"]);
  });

  test("a word is typed to its end before it is embedded", async () => {
    await using tab = await openTab();
    const { page } = tab;
    let sent = 0;
    await page.route("**/v1/embeddings", (route) => {
      sent += 1;
      return route.continue();
    });
    // As fast as a browser can, all within one task.
    await page.evaluate(`(() => {
      const field = document.getElementById("texts");
      for (const letter of "quickly") {
        field.value += letter;
        field.dispatchEvent(new Event("input"));
      }
    })()`);
    await page.waitForSelector("#tokens li");
    expect(sent).toBe(1);
  });

  test("what the server says is said, and the next answer takes it away", async () => {
    await using tab = await openTab();
    const { page } = tab;
    const answers = [
      { status: 500, json: { error: { message: "internal <b>error</b>", code: "internal" } } },
      { status: 502, body: "<html>bad gateway" },
      { status: 429, headers: { "retry-after": "0.05" }, json: { error: { message: "later" } } },
    ];
    await page.route("**/v1/embeddings", (route) => {
      const answer = answers.shift();
      return answer === undefined ? route.continue() : route.fulfill(answer);
    });
    await page.fill("#texts", "a\nb");
    await page.getByText("internal <b>error</b>").waitFor();
    await page.click("#input button.main");
    await page.getByText("The server answered 502.").waitFor();
    // The 429 says when to come again: nobody needs to know.
    await page.click("#input button.main");
    await page.waitForSelector("#views");
    await page.waitForSelector("#problem", { state: "hidden" });
    await page.unroute("**/v1/embeddings");
    await page.route("**/v1/embeddings", (route) => route.abort());
    await page.click("#input button.main");
    await page.getByText("The server cannot be reached.").waitFor();
  });

  test("a key is asked for where the server wants one, and kept in the tab alone", async () => {
    await using guarded = await startServer(model.path, { apiKeys: [KEY] });
    await using tab = await tabs.open(guarded.url);
    const { page } = tab;
    await page.fill("#key", "another");
    await page.keyboard.press("Enter");
    await page.getByText("does not know that key").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByText("The server asks for a key.").waitFor();
    await page.fill("#texts", TEXTS.join("\n"));
    await page.fill("#key", KEY);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#tokens li");
    await page.reload();
    await embed(page, TEXTS);
    expect(await page.isVisible("#key-dialog")).toBe(false);
    expect(await page.evaluate<string>("JSON.stringify(localStorage)")).not.toContain(KEY);
    expect(await page.evaluate<string>("document.cookie")).toBe("");
    await page.click("#forget");
    await page.click("#input button.main");
    await page.waitForSelector("#key-dialog[open]");
    expect(await page.isVisible("#key-wrong")).toBe(false);
    expect(await page.evaluate<string>("JSON.stringify(sessionStorage)")).not.toContain(KEY);
  });

  test("documents are searched, by meaning, by words or by both", async () => {
    const path = join(folder.path, "index.db");
    await makeIndex(path, started.embedder);
    await using index = await openSearchIndex({ path, model: started.embedder });
    await using searching = await startServer(model.path, {}, {}, path);
    await using tab = await tabs.open(searching.url);
    const { page } = tab;
    expect(await page.textContent("#search-about")).toStartWith("3 documents in 3 chunks, by tiny");
    for (const mode of ["hybrid", "vector", "text"] as const) {
      await page.check(`[name=mode][value=${mode}]`, { force: true });
      await page.fill("#query", "cat <b>");
      await page.keyboard.press("Enter");
      const expected = await index.search("cat <b>", { mode });
      expect(expected.length).toBeGreaterThan(0);
      const wanted = expected.map(({ text }) => text);
      const shown = () => page.locator("#hits p").allTextContents();
      while ((await shown()).join() !== wanted.join()) await Bun.sleep(10);
      const values = await page.locator("#hits data").allTextContents();
      const [best] = expected;
      expect(Number(values[0]?.replace("−", "-"))).toBeCloseTo(best!.similarity ?? best!.score, 2);
    }
    expect(await page.locator("#hits b").count()).toBe(0);
    // The mode's own search may have shown the hits, while that of the key is under way.
    await page.getByText(/^1 chunk by words, in [\d.,]+ ms$/).waitFor({ state: "attached" });
    expect(await axe(page)).toEqual([]);
    await page.fill("#query", "nonexistentword");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing was found").waitFor();
    await page.route("**/v1/search", (route) =>
      route.fulfill({ status: 500, json: { error: { message: "the index failed" } } }),
    );
    await page.keyboard.press("Enter");
    await page.getByText("the index failed").waitFor();
    await using without = await openTab();
    await without.page.getByText("version").waitFor();
    expect(await without.page.isVisible("#search")).toBe(false);
  });

  test.each([
    ["wide", {}],
    ["narrow", NARROW],
  ] as const)("accessible, by axe, in light and dark: %s", async (_, size) => {
    await using tab = await openTab({ colorScheme: "dark", reducedMotion: "reduce", ...size });
    const { page } = tab;
    expect(await axe(page)).toEqual([]);
    await embed(page, TEXTS);
    for (const id of ["heat-details", "map-details"]) await openTable(page, id);
    expect(await axe(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await axe(page)).toEqual([]);
    const beyond = "document.documentElement.scrollWidth - innerWidth";
    expect(await page.evaluate<number>(beyond)).toBe(0);
  });

  test("light and dark are the system's, until somebody chooses", async () => {
    await using tab = await openTab({ colorScheme: "dark", reducedMotion: "reduce" });
    const { page } = tab;
    const ground = () => page.evaluate<string>(GROUND);
    const dark = await ground();
    await embed(page, TEXTS);
    const darkMap = await page.evaluate<string>(HEAT_PICTURE);
    await page.check("[name=theme][value=light]", { force: true });
    const light = await ground();
    expect(light).not.toBe(dark);
    expect(await page.evaluate<string>(HEAT_PICTURE)).not.toBe(darkMap);
    await page.reload();
    expect(await ground()).toBe(light);
    await page.check("[name=theme][value=system]", { force: true });
    expect(await ground()).toBe(dark);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await ground()).toBe(light);
    const motion = () => page.evaluate<string>(BUTTON_TRANSITION);
    expect(await motion()).toBe("0s");
    await page.emulateMedia({ reducedMotion: "no-preference" });
    expect(await motion()).not.toBe("0s");
  });

  test("the policy forbids markup from strings, and scripts that are not the page's", async () => {
    await using tab = await openTab();
    const attempt = (code: string) =>
      tab.page.evaluate<string>(`(() => {
      try { ${code}; return "done"; } catch (error) { return error.name; }
    })()`);
    expect(await attempt("document.body.innerHTML = '<b>x</b>'")).toBe("TypeError");
    expect(await attempt("document.createElement('script').text = 'x'")).toBe("TypeError");
    expect(await attempt("document.title = 'as usual'")).toBe("done");
    // Those two were meant.
    expect(
      tabs.misdeeds.complaints.splice(0).every((text) => /TrustedHTML|TrustedScript/.test(text)),
    ).toBe(true);
  });

  test("no page asked another origin, broke the policy or failed", () => {
    expect(tabs.requests).toBeGreaterThan(20);
    expect(tabs.misdeeds).toEqual({ foreign: [], complaints: [] });
  });
});

test("the page comes with a policy of hashes, without a key, and as HEAD", async () => {
  await using guarded = await startServer(model.path, { apiKeys: [KEY] });
  const response = await fetch(guarded.url);
  expect(response.status).toBe(200);
  const { headers } = response;
  expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toStartWith("default-src 'none'; style-src 'sha256-");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  const html = await response.text();
  expect(html).not.toMatch(/\son\w+=|\sstyle=|(src|href)="(https?:)?\/\//i);
  const head = await fetch(guarded.url, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

async function embed(page: Page, texts: readonly string[]): Promise<void> {
  await page.fill("#texts", texts.join("\n"));
  await page.click("#input button.main");
  await page.waitForSelector("#tokens li");
}

async function openTable(page: Page, id: string): Promise<void> {
  await page.click(`#${id} summary`);
  await page.waitForSelector(`#${id} table`);
}

/** Resolves when these are shown; a test that waits for ever ends by its own time. */
async function waitForTokens(page: Page, ids: Int32Array): Promise<void> {
  const shown = () => page.locator("#tokens small").allTextContents();
  while ((await shown()).join() !== ids.join()) await Bun.sleep(10);
}

/** What has the focus: by its words, or by its id where it has none. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const { id, tagName, textContent } = document.activeElement;
    return ["CANVAS", "svg", "SELECT"].includes(tagName) ? id : textContent.trim() || id;
  })()`);
}

/** What axe-core finds fault with. */
async function axe(page: Page): Promise<string[]> {
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `${AXE}; axe.run()`,
  );
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** These run in the browser, whose types the tests do not have. */
interface Shown {
  readonly value: string;
}
const valuesOf = (elements: unknown[]) => elements.map((each) => Number((each as Shown).value));
const directionsOf = (elements: unknown[]) =>
  elements
    .map((each) => (each as { matches(selector: string): boolean }).matches(":dir(rtl)"))
    .map((isRtl) => (isRtl ? "rtl" : "ltr"));

const GROUND = "getComputedStyle(document.documentElement).backgroundColor";
const HEAT_PICTURE = "document.getElementById('heat').toDataURL()";
const BUTTON_TRANSITION =
  "getComputedStyle(document.querySelector('button.main')).transitionDuration";
/** Of the middle of the upper edge of each cell: below the frame, above the number. */
const COUNT_COLOURS = `(() => {
  const canvas = document.getElementById("heat");
  const context = canvas.getContext("2d");
  const cell = canvas.width / 4;
  const colours = new Set();
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      const x = Math.floor((column + 0.5) * cell);
      const y = Math.floor(row * cell + cell * 0.15);
      colours.add(context.getImageData(x, y, 1, 1).data.join());
    }
  }
  return colours.size;
})()`;
