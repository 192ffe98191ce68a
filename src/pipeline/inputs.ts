import { invalidArgument } from "../errors.ts";
import type { TextInput } from "../types.ts";

/** Whether a call's input is a single text. */
export function isOne(input: TextInput | readonly TextInput[]): input is TextInput {
  return typeof input === "string" || input instanceof Int32Array;
}

/** A call's texts, in a copy that the caller cannot change while the call runs. */
export function checkInputs(input: TextInput | readonly TextInput[]): readonly TextInput[] {
  if (isOne(input)) return [checkInput(input, 0)];
  if (Array.isArray(input)) {
    const texts: TextInput[] = [];
    // Holes come out as undefined.
    for (let i = 0; i < input.length; i++) texts.push(checkInput(input[i], i));
    return texts;
  }
  throw invalidArgument(
    `the input is ${kindOf(input)}; it must be a string, an Int32Array of token ids, ` +
      "or an array of those",
  );
}

/** What a stream reads its texts from, which a single text is not. */
export function checkIterable<T extends Iterable<TextInput> | AsyncIterable<TextInput>>(
  input: T,
): T {
  const isIterable =
    typeof input === "object" &&
    input !== null &&
    (Symbol.asyncIterator in input || Symbol.iterator in input);
  if (isIterable && !(input instanceof Int32Array)) return input;
  throw invalidArgument(
    `the input is ${kindOf(input)}; it must be an iterable or async iterable of texts, such as ` +
      "an array",
  );
}

export function checkInput(input: TextInput, index: number): TextInput {
  if (typeof input === "string") return input;
  if (input instanceof Int32Array) return input.slice();
  const advice = Array.isArray(input) ? "; token ids come as an Int32Array" : "";
  throw invalidArgument(`text ${index} is not a string: found ${kindOf(input)}${advice}`, {
    index,
  });
}

export function checkText(text: string, index: number): string {
  if (typeof text === "string") return text;
  throw invalidArgument(`text ${index} is not a string: found ${kindOf(text)}`, { index });
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return Array.isArray(value) ? "an array" : (value.constructor?.name ?? "an object");
}
