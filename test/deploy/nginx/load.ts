/** Requests of these many texts, in turns. */
const TEXTS_OF_REQUEST = [1, 1, 1, 4, 1, 1, 32, 1];
const KINDS = 24;

/** What a request says, and the bytes of its only right answer. */
interface Exchange {
  readonly body: string;
  readonly answer: string;
}

export interface LoadReport {
  readonly requests: number;
  /** Answers that are not 200 or not those bits, and requests without an answer. */
  readonly failures: readonly string[];
  readonly latenciesMs: readonly number[];
}

/** Requests of several sizes, and what an instance answers to each. */
export async function exchangesOf(url: string): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  for (let kind = 0; kind < KINDS; kind++) {
    const count = TEXTS_OF_REQUEST[kind % TEXTS_OF_REQUEST.length]!;
    const input = Array.from({ length: count }, (_, i) => `${kind} ${"word ".repeat(1 + (i % 9))}`);
    const body = JSON.stringify({ input, encoding_format: "base64" });
    const response = await post(url, body);
    const answer = await response.text();
    if (response.status !== 200) throw new Error(answer);
    exchanges.push({ body, answer });
  }
  return exchanges;
}

/** Clients with one request at a time each, until they are told to stop. */
export class Load {
  readonly #failures: string[] = [];
  readonly #latenciesMs: number[] = [];
  readonly #clients: Promise<void>[];
  #requests = 0;
  #isStopping = false;

  constructor(url: string, exchanges: readonly Exchange[], clients: number) {
    this.#clients = Array.from({ length: clients }, (_, i) => this.#client(url, exchanges, i * 5));
  }

  get requests(): number {
    return this.#requests;
  }

  /** Waits until so many more are done. */
  async more(requests: number): Promise<void> {
    const goal = this.#requests + requests;
    while (this.#requests < goal) await Bun.sleep(5);
  }

  async stop(): Promise<LoadReport> {
    this.#isStopping = true;
    await Promise.all(this.#clients);
    const [requests, failures, latenciesMs] = [this.#requests, this.#failures, this.#latenciesMs];
    return { requests, failures, latenciesMs };
  }

  async #client(url: string, exchanges: readonly Exchange[], first: number): Promise<void> {
    for (let i = first; !this.#isStopping; i++) {
      const { body, answer } = exchanges[i % exchanges.length]!;
      const start = performance.now();
      try {
        const response = await post(url, body);
        const text = await response.text();
        if (response.status !== 200) this.#failures.push(`${response.status}: ${text}`);
        else if (text !== answer) this.#failures.push(`another answer: ${text}`);
      } catch (error) {
        this.#failures.push(String(error));
      }
      this.#latenciesMs.push(performance.now() - start);
      this.#requests += 1;
    }
  }
}

function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}v1/embeddings`, { method: "POST", body });
}
