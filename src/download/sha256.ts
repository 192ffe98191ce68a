import { createReadStream } from "node:fs";

const READ_BYTES = 2 ** 20;

/** SHA-256 of a file's content, in lower-case hexadecimal. Throws as reading does. */
export async function sha256OfFile(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  const chunks = createReadStream(path, { highWaterMark: READ_BYTES });
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest("hex");
}

export const sha256OfText = (text: string): string =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex");
