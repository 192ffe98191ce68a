import { median } from "../compare/statistics.ts";
import { SHORT } from "../models.ts";
import { clientsAtOnce } from "./clients.ts";
import { startProcess } from "./process.ts";
import { CLIENTS, type Scene, textsPerSecond } from "./scene.ts";

/** Many clients with a short text each, against the library's own batches of as many texts. */
export async function throughput(scene: Scene): Promise<string[]> {
  await using server = await startProcess(scene.model);
  const seconds = scene.tiny ? 0.3 : 4;
  const shares: number[] = [];
  const lines: string[] = [];
  for (let round = 0; round < (scene.tiny ? 1 : 5); round++) {
    const served = await clientsAtOnce(server.url, scene, seconds);
    const alone = await textsPerSecond(scene, seconds);
    shares.push(served.perSecond / alone);
    const latency = `p50 ${served.p50Ms.toFixed(0)} ms, p99 ${served.p99Ms.toFixed(0)} ms`;
    const of = `${served.perSecond.toFixed(0)} of ${alone.toFixed(0)} texts/s`;
    lines.push(`  ${of}, ${latency}, by ${served.by}`);
  }
  const [low, high] = [Math.min(...shares), Math.max(...shares)].map((share) => share.toFixed(2));
  return [
    ...lines,
    `${CLIENTS} clients, a text of ${SHORT} tokens each: ${median(shares).toFixed(2)} of the ` +
      `library's batches (${low}–${high}; bar: at least 0.70)`,
  ];
}
