import { readFile } from "node:fs/promises";
import { sizeOf } from "./cached-model.ts";

/** Records, manifests and descriptions of models are a kilobyte or two. */
const JSON_BYTES_MAX = 1_000_000;

/** A small JSON file's value; undefined where there is none, or something else. */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await sizeOf(path);
  if (bytes === undefined || bytes > JSON_BYTES_MAX) return undefined;
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** A field of what may be an object. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

export function stringField(value: unknown, name: string): string | undefined {
  const found = field(value, name);
  return typeof found === "string" ? found : undefined;
}
