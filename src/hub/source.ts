import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { GgufEmbedError, invalidArgument } from "../errors.ts";
import { fileError, printable } from "../gguf/message.ts";
import { ALIASES } from "./aliases.ts";
import { NAME_FORMS, parseName } from "./name.ts";
import { obtain, type PullOptions } from "./pull.ts";
import { endpointOf, type Surroundings, surroundings } from "./surroundings.ts";

/**
 * The path of a model's file, downloaded if it is the name of one that is not on this machine. A
 * path that exists is that path, whatever else it could mean.
 *
 * Throws `FILE_NOT_FOUND`, `INVALID_ARGUMENT`, and as `pull` does.
 */
export async function modelPath(
  source: string | URL,
  options: PullOptions = {},
  around: Surroundings = surroundings(),
): Promise<string> {
  const text = sourceText(source);
  if (text.startsWith("file:")) return pathOfUrl(text);
  if (typeof source === "string" && (await isThere(text))) return text;
  const name = parseName(text, endpointOf(around));
  if (name === undefined) throw source instanceof URL ? notAFile(text) : notThere(text);
  try {
    return (await obtain(around, name, options, { fresh: false })).path;
  } catch (error) {
    throw /^[^/:]+\/[^/:]+$/.test(text) ? withPath(error, text) : error;
  }
}

/** What a caller gave for a model, as text. Throws `INVALID_ARGUMENT`. */
export function sourceText(source: string | URL): string {
  if (source instanceof URL) return source.href;
  if (typeof source !== "string") {
    const found = source === null ? "null" : typeof source;
    throw invalidArgument(`the model is ${found}, not a path, a name or a URL`);
  }
  if (source.includes("\0")) throw invalidArgument("the model's path has a NUL character");
  return source;
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw invalidArgument(`${url} is not the URL of a file here: give the model's path`, { cause });
  }
}

/** Whatever is there: what cannot be read is for the reader to tell. */
function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
  );
}

function notAFile(url: string): GgufEmbedError {
  return invalidArgument(`${url} is not a file: download the model and give its path`);
}

function notThere(text: string): GgufEmbedError {
  return fileError("FILE_NOT_FOUND", printable(text), `there is no such file. ${namesHint(text)}`);
}

/** What a name would have looked like: for a single word, one of the aliases. */
export function namesHint(text: string): string {
  const isWord = /^[\w.-]+$/.test(text) && !/\.gguf$/i.test(text);
  if (!isWord) return `A model on the hub is ${NAME_FORMS}.`;
  return `Nor is it an alias; those are ${Object.keys(ALIASES).join(", ")}.`;
}

/** A repository's name looks like a path: it may have been meant as one. */
function withPath(error: unknown, text: string): unknown {
  if (!(error instanceof GgufEmbedError)) return error;
  const message = `${error.message} (there is no file ${printable(text)} either)`;
  return new GgufEmbedError(error.code, message, { cause: error });
}
