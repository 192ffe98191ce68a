import { fileError, quote } from "../gguf/message.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const DOWNLOAD = "Give the folder that all of a model's files were downloaded to.";

/** No settings file of a model is longer; the largest tokenizers have some 35 MB. */
const JSON_BYTES_MAX = 256 * 1024 * 1024;

/**
 * A JSON file with typed access. Every getter throws `BAD_MODEL` that names the file, the key, what
 * was expected and what was found.
 */
export class JsonFile {
  readonly path: string;
  readonly values: JsonObject;

  constructor(path: string, values: JsonObject) {
    this.path = path;
    this.values = values;
  }

  getCount(key: string): number | undefined {
    const isCount = (value: unknown): value is number =>
      Number.isSafeInteger(value) && (value as number) >= 0;
    return this.#get(key, "a count", isCount);
  }

  getNumber(key: string): number | undefined {
    return this.#get(key, "a number", (value) => typeof value === "number");
  }

  getBoolean(key: string): boolean | undefined {
    return this.#get(key, "true or false", (value) => typeof value === "boolean");
  }

  getString(key: string): string | undefined {
    return this.#get(key, "a string", (value) => typeof value === "string");
  }

  getObject(key: string): JsonObject | undefined {
    return this.#get(key, "an object", isJsonObject);
  }

  getArray(key: string): readonly unknown[] | undefined {
    return this.#get(key, "an array", (value): value is unknown[] => Array.isArray(value));
  }

  requireCount(key: string): number {
    return this.getCount(key) ?? this.#missing(key, "a count");
  }

  requireNumber(key: string): number {
    return this.getNumber(key) ?? this.#missing(key, "a number");
  }

  requireObject(key: string): JsonObject {
    return this.getObject(key) ?? this.#missing(key, "an object");
  }

  /** JSON's `null` reads as absent. */
  #get<T>(key: string, expected: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.values[key] ?? undefined;
    if (value === undefined || is(value)) return value;
    const found = quote(JSON.stringify(value));
    throw fileError("BAD_MODEL", this.path, `"${key}": expected ${expected}, found ${found}`);
  }

  #missing(key: string, expected: string): never {
    throw fileError("BAD_MODEL", this.path, `"${key}" is missing; expected ${expected}`);
  }
}

/**
 * The value in a JSON file, or `undefined` when there is no such file. Throws `BAD_FILE` for one
 * that is not JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const file = Bun.file(path);
  if (!(await file.exists())) return undefined;
  if (file.size > JSON_BYTES_MAX) {
    throw fileError("BAD_FILE", path, `${file.size} bytes, too long for a model's settings`);
  }
  try {
    return await file.json();
  } catch (cause) {
    throw fileError("BAD_FILE", path, "not JSON", { cause });
  }
}

/** As `readJson`, for a file that must hold an object. */
export async function readJsonFile(path: string): Promise<JsonFile | undefined> {
  const values = await readJson(path);
  if (values === undefined) return undefined;
  if (!isJsonObject(values)) throw fileError("BAD_FILE", path, "not a JSON object");
  return new JsonFile(path, values);
}

/** As `readJsonFile`, for a file that must be there: throws `FILE_NOT_FOUND`. */
export async function requireJsonFile(path: string): Promise<JsonFile> {
  const file = await readJsonFile(path);
  if (file !== undefined) return file;
  throw fileError("FILE_NOT_FOUND", path, `no such file, and the model needs it. ${DOWNLOAD}`);
}
