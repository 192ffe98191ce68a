import { GgufEmbedError } from "../errors.ts";

/**
 * What an optional package exports. The literal import stands with the caller, where a bundler
 * finds it. Rejects with `MISSING_PACKAGE`.
 */
export async function optional<T>(
  load: () => Promise<T>,
  names: string,
  purpose: string,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const advice = `run \`bun add ${names}\``;
    const message = `${purpose} needs packages that are not installed here: ${advice}`;
    throw new GgufEmbedError("MISSING_PACKAGE", message, { cause });
  }
}
