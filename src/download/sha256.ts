import { createReadStream } from "node:fs";

const READ_BYTES = 2 ** 20;

/** SHA-256 of a file's content, in lower-case hexadecimal. Throws as reading does. */
export async function sha256OfFile(path: string): Promise<string> {
  return sha256OfChunks(createReadStream(path, { highWaterMark: READ_BYTES }));
}

/** Of bytes that come one after another. Throws as they do. */
export async function sha256OfChunks(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest("hex");
}

export const sha256OfText = (text: string): string =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex");
