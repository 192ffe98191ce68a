import { type Api, ApiError } from "./api.ts";
import { count, find, make } from "./dom.ts";

/** As the server's limit for one request. */
const CHARACTERS_MAX = 16_384;
const SHOWN_MAX = 1000;

interface Token {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
}

/** What the model reads of the chosen text. */
export class Tokens {
  readonly #api: Api;
  readonly #list = find("tokens", HTMLOListElement);
  readonly #note = find("token-note", HTMLElement);
  readonly #count = find("token-count", HTMLElement);
  #request = new AbortController();

  constructor(api: Api) {
    this.#api = api;
  }

  async show(text: string, model: string, contextLength: number): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const inputs = text.slice(0, CHARACTERS_MAX);
    try {
      const [tokens] = await this.#api.post<Token[][]>("tokenize", { inputs, model }, signal);
      this.#render(tokens!, contextLength, inputs.length < text.length);
    } catch (error) {
      if (signal.aborted) return;
      this.#list.replaceChildren();
      this.#count.textContent = "";
      this.#note.textContent = error instanceof ApiError ? error.message : String(error);
    }
  }

  #render(tokens: readonly Token[], contextLength: number, isPart: boolean): void {
    const chips = tokens.slice(0, SHOWN_MAX).map(({ id, text, special }, i) => {
      const kinds = [special ? "special" : "", i >= contextLength ? "beyond" : ""].join(" ");
      const told = special ? "special" : visible(text);
      return make("li", { class: kinds.trim() }, told, make("small", {}, `${id}`));
    });
    this.#list.replaceChildren(...chips);
    this.#count.textContent = isPart ? "" : count(tokens.length);
    const notes = [
      isPart ? `Of the first ${count(CHARACTERS_MAX)} characters.` : "",
      tokens.length > SHOWN_MAX ? `The first ${count(SHOWN_MAX)} of them are shown.` : "",
      tokens.length > contextLength ? `The model reads ${count(contextLength)}.` : "",
    ];
    this.#note.textContent = notes.filter((note) => note !== "").join(" ");
  }
}

/** Spaces and line ends as signs, and bytes that are no character by themselves as a box. */
function visible(text: string): string {
  const shown = text.replaceAll(" ", "·").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  return shown.replaceAll("\uFFFD", "▯");
}
