/** Tells the lines of places in a text, which must come in order: the text is read once. */
export class LineCounter {
  readonly #text: string;
  #lineStart = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Line of the character at `offset`, from 1. `\n` ends a line, and so `\r\n` does. */
  at(offset: number): number {
    for (;;) {
      const end = this.#text.indexOf("\n", this.#lineStart);
      if (end < 0 || end >= offset) return this.#line;
      this.#lineStart = end + 1;
      this.#line++;
    }
  }
}
