import { invalidArgument } from "../errors.ts";
import type { Prompts } from "../prompts.ts";
import type { Shape } from "../scheduler/fair-queue.ts";
import type { EmbedOptions } from "../types.ts";
import { checkBinaryDimensions } from "../vectors/encode.ts";
import type { Encoding } from "../vectors/types.ts";
import type { Preparation } from "./prepare.ts";

const TRUNCATIONS = ["error", "end", "start"] as const;
const ENCODINGS = ["float32", "int8", "binary"] as const;

/** What all texts of a call have in common, checked. */
export interface Settings extends Preparation, Shape {
  readonly encoding: Encoding;
  /** Most tokens of a call. */
  readonly tokenLimit: number;
}

export interface SettingsOfModel {
  readonly prompts: Prompts;
  /** Width of a vector before `dimensions` cuts it. */
  readonly width: number;
  readonly normalize: boolean;
  /** A vector for every token rather than for every text. */
  readonly tokenLevel: boolean;
}

/** Throws `INVALID_ARGUMENT`, naming the option. */
export function settingsFor(
  { prompts, width, normalize, tokenLevel }: SettingsOfModel,
  options: Omit<EmbedOptions<Encoding>, "signal">,
): Settings {
  const { task, title, prompt, dimensions = width } = options;
  const { truncate = "error", encoding = "float32", tokenLimit = Infinity } = options;
  const normalizes = options.normalize ?? normalize;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > width) {
    throw invalidArgument(
      `dimensions is ${dimensions}; it must be a whole number from 1 to ${width}`,
    );
  }
  if (tokenLimit !== Infinity && (!Number.isInteger(tokenLimit) || tokenLimit < 1)) {
    throw invalidArgument(`tokenLimit is ${tokenLimit}; it must be a whole number from 1`);
  }
  if (typeof normalizes !== "boolean") {
    throw invalidArgument(`normalize is ${JSON.stringify(normalizes)}; it must be true or false`);
  }
  checkChoice("truncate", truncate, TRUNCATIONS);
  checkChoice("encoding", encoding, ENCODINGS);
  if (encoding === "binary") checkBinaryDimensions(dimensions);
  if (encoding !== "float32" && tokenLevel) {
    throw invalidArgument(
      `encoding is ${JSON.stringify(encoding)}; vectors of tokens come as "float32": give ` +
        "them to encodeVectors",
    );
  }
  return {
    prompt: prompts.prefix({ task, title, prompt }),
    truncate,
    dimensions,
    normalize: normalizes,
    encoding,
    tokenLimit,
  };
}

/** Throws `INVALID_ARGUMENT` for a value that is none of the choices. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  const listed = choices.map((choice) => JSON.stringify(choice)).join(", ");
  throw invalidArgument(`${name} is ${JSON.stringify(value)}; it must be one of ${listed}`);
}
