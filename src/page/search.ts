import { type Api, ApiError } from "./api.ts";
import { choiceOf, count, counted, find, formatNumber, make, quote } from "./dom.ts";

const LIMIT = 10;

/** What the chunks that were found are ordered by. */
const ORDERS: Readonly<Record<string, string>> = {
  hybrid: " by meaning and words",
  vector: " by meaning",
  text: " by words",
};

interface Hit {
  readonly id: string;
  readonly text: string;
  readonly line: number;
  readonly line_end: number;
  readonly score: number;
  readonly similarity?: number;
}

/** What the server indexed. */
export interface IndexInfo {
  readonly model: string;
  readonly documents: number;
  readonly chunks: number;
}

/** Searches the server's documents. */
export class Search {
  readonly #api: Api;
  readonly #query = find("query", HTMLInputElement);
  readonly #hits = find("hits", HTMLOListElement);
  readonly #status = find("search-status", HTMLElement);
  readonly #problem = find("search-problem", HTMLElement);
  readonly #mode: () => string;
  #request = new AbortController();

  constructor(api: Api) {
    this.#api = api;
    this.#mode = choiceOf(find("mode", HTMLFieldSetElement), () => void this.#run());
    find("search-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run();
    });
  }

  /** Not there at all where nothing is indexed. */
  show(index: IndexInfo | null): void {
    find("search", HTMLElement).hidden = index === null;
    if (index === null) return;
    const { documents, chunks, model } = index;
    const told = `${counted(documents, "document")} in ${counted(chunks, "chunk")}, by ${model}`;
    find("search-about", HTMLElement).textContent = told;
  }

  async #run(): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = this.#query.value.trim();
    this.#tell("", "");
    if (query === "") {
      this.#hits.replaceChildren();
      return;
    }
    const mode = this.#mode();
    const body = { query, mode, limit: LIMIT };
    const start = performance.now();
    try {
      const { data } = await this.#api.post<{ data: Hit[] }>("v1/search", body, signal);
      const ms = performance.now() - start;
      this.#hits.replaceChildren(...data.map(row));
      const found = data.length === 0 ? "Nothing was found" : counted(data.length, "chunk");
      const order = data.length === 0 ? "" : ORDERS[mode];
      this.#tell(`${found}${order}, in ${ms < 100 ? ms.toFixed(1) : count(Math.round(ms))} ms`, "");
    } catch (error) {
      if (signal.aborted) return;
      this.#hits.replaceChildren();
      this.#tell("", error instanceof ApiError ? error.message : String(error));
    }
  }

  #tell(status: string, problem: string): void {
    this.#status.textContent = status;
    this.#problem.textContent = problem;
    this.#problem.hidden = problem === "";
  }
}

function row({ id, text, line, line_end, score, similarity }: Hit): HTMLElement {
  const lines = line === line_end ? `${line}` : `${line}–${line_end}`;
  const name = make("span", {}, quote(id), make("span", { class: "muted" }, `:${lines}`));
  const told = similarity === undefined ? formatNumber(score, 2) : formatNumber(similarity, 3);
  const kind = similarity === undefined ? "BM25" : "cosine";
  const value = make("span", { class: "muted" }, `${kind} `, make("data", { value: told }, told));
  const head = make("div", { class: "bar small" }, name, value);
  return make("li", {}, head, make("p", { dir: "auto" }, text.trim()));
}
