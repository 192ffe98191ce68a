import { readFileSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "../compare/statistics.ts";
import { runClients } from "./clients.ts";
import { type ServerProcess, startProcess } from "./process.ts";
import { type Scene, textsPerSecond } from "./scene.ts";

const DEADLINE_SECONDS = 2;
const SAMPLES = 60;

/** Four times as much as it can do. */
export async function overload(scene: Scene): Promise<string[]> {
  const { model, embedder, texts, folder, tiny } = scene;
  const rate = Math.ceil(4 * (await textsPerSecond(scene, tiny ? 0.2 : 2)));
  await embedder.close();
  const textsPath = join(folder, "texts.json");
  await Bun.write(textsPath, JSON.stringify(texts));
  await using server = await startProcess(model, ["--deadline", String(DEADLINE_SECONDS)]);
  const seconds = tiny ? 0.05 : 60;
  const memory: number[] = [];
  const sampling = setInterval(
    () => memory.push(residentMegabytes(server)),
    (seconds * 1000) / SAMPLES,
  );
  const report = await runClients(server.url, textsPath, ["rate", rate], seconds);
  clearInterval(sampling);
  const { latenciesMs, statuses } = report;
  const p99 = quantile(latenciesMs, 0.99);
  const refused = Object.entries(statuses)
    .filter(([status]) => status !== "200")
    .map(([status, count]) => `${status}: ${count}`);
  return [
    `${rate} requests a second for ${report.seconds.toFixed(0)} s: ` +
      `${latenciesMs.length} answered, others ${refused.join(", ") || "none"} (bar: only 429)`,
    `  p99 of those answered ${p99.toFixed(0)} ms (bar: at most ${DEADLINE_SECONDS * 1000})`,
    `  resident memory in the quarters of that time: ${quarters(memory).join(", ")} MB`,
  ];
}

function residentMegabytes({ pid }: ServerProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}

/** Lowest and highest of each. */
function quarters(samples: readonly number[]): string[] {
  const length = Math.max(1, Math.floor(samples.length / 4));
  return [0, 1, 2, 3].map((quarter) => {
    const those = samples.slice(quarter * length, (quarter + 1) * length);
    return `${Math.min(...those).toFixed(0)}–${Math.max(...those).toFixed(0)}`;
  });
}
