import { join } from "node:path";
import { gzipSync } from "bun";
import { median, quantile } from "../../../bench/compare/statistics.ts";
import { runClients } from "../../../bench/server/clients.ts";
import type { ClientReport } from "../../../bench/server/fetch-clients.ts";
import { BULK_TOKENS, type Compression, type Cost, type Figures, type Latency } from "./figures.ts";
import { BULK_TEXTS, bulk, embed, residentMegabytes, type Scene, setUp, single } from "./scene.ts";

const ROUNDS = 5;
const ROUND_SECONDS = 2;
const SHARES = [0.5, 0.8];
const LATENCY_ROUNDS = 5;
const LATENCY_SECONDS = 2;
const WAYS = ["direct", "nginx"] as const;
const COST_REQUESTS = 400;
const BULK_COST_REQUESTS = 12;
/** Of the same two cores. */
const LAYOUTS = [
  { instances: 1, threads: 2 },
  { instances: 2, threads: 1 },
];

/** All together in memory, by turns; who waits costs nothing. */
export async function layouts(scene: Scene): Promise<Pick<Figures, "layouts">> {
  const first = await setUp(scene, LAYOUTS[0]!.instances, LAYOUTS[0]!.threads);
  await using one = first;
  await using two = await setUp(scene, LAYOUTS[1]!.instances, LAYOUTS[1]!.threads);
  const setups = [one, two];
  const found = LAYOUTS.map((layout) => ({
    ...layout,
    bulkTokensPerSecond: [] as number[],
    requestsPerSecond: [] as number[],
    residentMegabytes: 0,
  }));
  for (const { nginx } of setups) await bulk(nginx.url, scene, 1);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { nginx }] of setups.entries()) {
      found[i]!.bulkTokensPerSecond.push(await bulk(nginx.url, scene, ROUND_SECONDS));
      found[i]!.requestsPerSecond.push(await single(nginx.url, scene, ROUND_SECONDS));
    }
  }
  for (const [i, { instances }] of setups.entries()) {
    const all = instances.map(({ pid }) => residentMegabytes(pid));
    found[i]!.residentMegabytes = Math.max(...all);
  }
  return { layouts: found };
}

/** At shares of the rate that 64 clients reach directly, at even intervals. */
export async function latencies(scene: Scene): Promise<Pick<Figures, "latencies">> {
  await using setup = await setUp(scene, 1, 2);
  const { instances, nginx } = setup;
  const urls = { direct: instances[0]!.url, nginx: nginx.url };
  const path = join(scene.folder, "texts.json");
  await Bun.write(path, JSON.stringify(scene.texts));
  await single(urls.direct, scene, 1);
  const probes: number[] = [];
  for (let i = 0; i < ROUNDS; i++) probes.push(await single(urls.direct, scene, 1));
  // The machine's other guests only ever make it less.
  const highest = Math.max(...probes);
  const found: Latency[] = [];
  for (const share of SHARES) {
    const requestsPerSecond = highest * share;
    const rounds: { by: "direct" | "nginx"; report: ClientReport }[] = [];
    for (let round = 0; round < LATENCY_ROUNDS; round++) {
      for (const by of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
        const rate = ["rate", requestsPerSecond] as const;
        rounds.push({ by, report: await runClients(urls[by], path, rate, LATENCY_SECONDS) });
      }
    }
    for (const by of WAYS) {
      const own = rounds.filter((round) => round.by === by).map(({ report }) => report);
      const requests = own.flatMap(({ latenciesMs }) => latenciesMs).length;
      const answers = own.flatMap(({ statuses }) => Object.values(statuses));
      found.push({
        by,
        share,
        requestsPerSecond,
        requests,
        failed: answers.reduce((sum, count) => sum + count, 0) - requests,
        p50Ms: own.map(({ latenciesMs }) => quantile(latenciesMs, 0.5)),
        p99Ms: own.map(({ latenciesMs }) => quantile(latenciesMs, 0.99)),
      });
    }
  }
  return { latencies: found };
}

/** What nginx adds where nothing else waits. */
export async function costs(scene: Scene): Promise<Pick<Figures, "costs">> {
  await using setup = await setUp(scene, 1, 2);
  const { instances, nginx } = setup;
  const large = scene.paragraphs.slice(0, BULK_TEXTS);
  const compare = async (
    what: string,
    input: string | readonly string[],
    requests: number,
  ): Promise<Cost> => {
    const direct: number[] = [];
    const byNginx: number[] = [];
    for (let i = 0; i < requests; i++) {
      for (const [url, times] of [
        [instances[0]!.url, direct],
        [nginx.url, byNginx],
      ] as const) {
        const start = performance.now();
        await embed(url, input, "base64");
        times.push(performance.now() - start);
      }
    }
    return { what, requests, directP50Ms: median(direct), nginxP50Ms: median(byNginx) };
  };
  return {
    costs: [
      await compare("a text of 28 tokens", scene.texts[0]!, COST_REQUESTS),
      await compare(`${BULK_TEXTS} texts of ${BULK_TOKENS} tokens`, large, BULK_COST_REQUESTS),
    ],
  };
}

/** Bytes of what goes to and fro, and of what gzip makes of it. */
export async function sizes(scene: Scene): Promise<Pick<Figures, "sizes" | "compressions">> {
  await using setup = await setUp(scene, 1, 2);
  const { url } = setup.instances[0]!;
  const input = scene.paragraphs.slice(0, BULK_TEXTS);
  const [base64, float] = [await embed(url, input, "base64"), await embed(url, input, "float")];
  const compressions: Compression[] = [];
  for (const [encoding, text] of [
    ["base64", base64],
    ["float", float],
  ] as const) {
    for (const level of [1, 6] as const) {
      const times: number[] = [];
      let bytes = 0;
      for (let i = 0; i < 20; i++) {
        const start = performance.now();
        bytes = gzipSync(text, { level }).length;
        times.push(performance.now() - start);
      }
      const msPerText = median(times) / BULK_TEXTS;
      compressions.push({ encoding, level, share: bytes / text.length, msPerText });
    }
  }
  const request = JSON.stringify({ input, encoding_format: "base64" });
  return {
    compressions,
    sizes: {
      tokens: BULK_TOKENS,
      requestBytes: request.length / BULK_TEXTS,
      base64Bytes: base64.length / BULK_TEXTS,
      floatBytes: float.length / BULK_TEXTS,
    },
  };
}
