/**
 * `bun test/deploy/nginx/rolling.ts [ROUNDS]`: three instances of a tiny model behind nginx are
 * restarted in turn under load, by SIGTERM and then by SIGKILL. Prints what the clients saw; ends
 * with code 1 if a request failed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantile } from "../../../bench/compare/statistics.ts";
import { makeTinyModel } from "../../reference/tiny.ts";
import { startInstances } from "./instance.ts";
import { exchangesOf, Load } from "./load.ts";
import { restart } from "./restart.ts";
import { startNginx } from "./start.ts";

const CLIENTS = 16;
const INSTANCES = 3;
const QUIET_MS = 2000;

async function run(signal: "SIGTERM" | "SIGKILL", rounds: number, folder: string): Promise<number> {
  const model = join(folder, "tiny.gguf");
  await makeTinyModel({ architecture: "gemma-embedding", type: "Q8_0" }, model);
  await using instances = await startInstances(INSTANCES, model, ["--threads", "1"]);
  const hosts = instances.map(({ host }) => host);
  await using nginx = await startNginx({ folder: join(folder, signal), instances: hosts });
  const load = new Load(nginx.url, await exchangesOf(instances[0]!.url), CLIENTS);
  await Bun.sleep(QUIET_MS);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    for (const instance of instances) await restart(instance, signal, load);
  }
  const seconds = (performance.now() - start) / 1000;
  const { requests, failures, latenciesMs } = await load.stop();
  const retried = nginx.logged().filter(({ upstream }) => upstream.includes(", ")).length;
  const [p50, p99, last] = [0.5, 0.99, 1].map((share) => quantile(latenciesMs, share).toFixed(1));
  console.log(
    `${signal}: ${rounds * INSTANCES} restarts in ${seconds.toFixed(0)} s, ${requests} requests ` +
      `by ${CLIENTS} clients, ${failures.length} failed, ${retried} asked of a second instance; ` +
      `p50 ${p50} ms, p99 ${p99} ms, longest ${last} ms`,
  );
  for (const failure of failures.slice(0, 5)) console.log(`  ${failure.slice(0, 200)}`);
  return failures.length;
}

const rounds = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(join(tmpdir(), "ggufembed-rolling-"));
try {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if ((await run(signal, rounds, folder)) > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
