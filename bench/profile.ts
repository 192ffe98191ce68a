/**
 * `bun run profile`: where the time of a call goes, operation by operation, beside what the machine
 * could do at most in the same seconds. `--help` tells the options.
 */
import { ensureBuilt } from "../scripts/build.ts";
import { ensureMiniLM } from "../scripts/models.ts";
import { ensureSynth } from "../scripts/synth.ts";
import { buildModel } from "../src/arch/index.ts";
import { wantsHelp } from "../src/cli/options.ts";
import { readGguf } from "../src/gguf/reader.ts";
import { type EmbedResult, open, systemInfo } from "../src/index.ts";
import { median } from "./compare/statistics.ts";
import { measure } from "./profile/measure.ts";
import { type ProfileOptions, readProfileOptions, usage } from "./profile/options.ts";
import { loadSymbols, type PerfReport, perfProblem, watchWork } from "./profile/perf.ts";
import { formatProfile, type Profile } from "./profile/report.ts";
import { type Tally, tally } from "./profile/tally.ts";
import { makeTextsOfTokens } from "./texts.ts";
import { withUsage } from "./usage.ts";
import { Yardstick } from "./yardstick.ts";

export async function profile(options: ProfileOptions): Promise<Profile> {
  const perfLacks = options.perf ? perfProblem() : undefined;
  if (options.perf && perfLacks === undefined) await loadSymbols();
  await using yardstick = await Yardstick.start();
  const path = await modelPath(options.model);
  const { texts: count, tokens, seed, threads, parallelism, seconds } = options;
  await using embedder = await open(path, { threads, parallelism });
  const texts = makeTextsOfTokens(count, tokens, seed, (text) => embedder.tokenize(text).length);
  const system = await systemInfo();
  const variant = system.native?.variant ?? "";
  const { runs, results, ...measured } = await measure({
    embedder,
    texts,
    yardstick,
    variant,
    seconds,
  });
  const { plan } = buildModel(await readGguf(path));
  return {
    system,
    options,
    model: embedder.config.name,
    threads: embedder.threads,
    tokens: results.reduce((total, result) => total + result.tokens, 0),
    result: digest(results),
    measured,
    tally: tallyAll(),
    perf: options.perf ? (perfLacks ?? (await watch())) : undefined,
  };

  function watch(): Promise<PerfReport> {
    const title = `${embedder.config.name}, ${count} texts of ${tokens} tokens`;
    return watchWork(() => embedder.embed(texts), seconds, title);
  }

  function tallyAll(): Tally {
    return tally(plan, runs, measured.calls.length, {
      int8: median(measured.int8Peaks) / embedder.threads,
      float: median(measured.floatPeaks) / embedder.threads,
    });
  }
}

function modelPath(name: string): Promise<string> | string {
  if (name === "gemma") return ensureSynth("full");
  return name === "minilm" ? ensureMiniLM() : name;
}

/** So that two runs can be seen to have computed the same. */
function digest(results: readonly EmbedResult[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const { embedding } of results) hasher.update(embedding);
  return hasher.digest("hex").slice(0, 16);
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  await withUsage(usage(), async () => {
    if (wantsHelp(args)) return console.log(usage());
    const options = readProfileOptions(args);
    await ensureBuilt();
    const found = await profile(options);
    console.log(options.json ? JSON.stringify(found, null, 2) : formatProfile(found));
  });
}
