import { median } from "../compare/statistics.ts";
import { startProcess } from "./process.ts";
import type { Scene } from "./scene.ts";

/** One short text: a request against a call, one after the other. */
export async function overhead({ model, embedder, texts, tiny }: Scene): Promise<string[]> {
  await using server = await startProcess(model);
  const [text] = texts;
  const body = JSON.stringify({ input: text, encoding_format: "base64" });
  const byServer: number[] = [];
  const byLibrary: number[] = [];
  const rounds = tiny ? 10 : 1000;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const response = await fetch(`${server.url}v1/embeddings`, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    await response.bytes();
    const between = performance.now();
    await embedder.embed(text!);
    byLibrary.push(performance.now() - between);
    byServer.push(between - start);
  }
  const difference = median(byServer) - median(byLibrary);
  return [
    `one text: ${median(byServer).toFixed(2)} ms by the server, ` +
      `${median(byLibrary).toFixed(2)} ms by the library, ` +
      `${difference.toFixed(2)} ms more at the median (bar: at most 1 ms)`,
  ];
}
