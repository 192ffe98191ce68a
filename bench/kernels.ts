import { buildModel } from "../src/arch/index.ts";
import type { Plan } from "../src/arch/plan.ts";
import { readGguf } from "../src/gguf/reader.ts";
import { VARIANTS } from "../src/native/abi.ts";
import { connect, type NativeBatch, NativeEngine } from "../src/native/engine.ts";
import { profileRuns, type RunProfile } from "../src/native/profile.ts";
import { nativeInfo } from "../src/native/system.ts";
import type { Case, Setting } from "./harness.ts";
import { gemmaPath } from "./models.ts";
import { costOf, labelOf } from "./profile/operations.ts";
import { tally } from "./profile/tally.ts";
import { randomNumbers } from "./random.ts";
import { Yardstick } from "./yardstick.ts";

/** Of one text: a single token, fewer than a register tile, a usual batch, a long one. */
const TOKENS = { full: [1, 11, 64, 512], tiny: [3] };
const MILLISECONDS = { full: 500, tiny: 5 };
const LABEL_WIDTH = 40;

/** How often the peak is looked at, and for how long each time. */
const PEAK_SAMPLES = { full: 20, tiny: 2 };
const PEAK_MS = { full: 10, tiny: 1 };

/**
 * What each variant's instructions can do at most, then each kernel of the variant, on one thread,
 * at the shapes and in the order in which a model runs them: with its weights as cold, and its
 * activations as warm, as they are there.
 */
export async function* kernels(setting: Setting): AsyncGenerator<Case> {
  await using yardstick = await Yardstick.start();
  const path = await gemmaPath(setting);
  const file = await readGguf(path);
  const { plan } = buildModel(file);
  for (const variant of (await nativeInfo()).variants) {
    yield await peakOf(yardstick, variant, "int8", setting);
    yield await peakOf(yardstick, variant, "float", setting);
    const engine = await NativeEngine.load(await connect(), plan, {
      paths: file.paths,
      threads: 1,
      parallelism: "auto",
      variant: (VARIANTS as readonly string[]).indexOf(variant),
      tokenCapacity: plan.contextLength,
    });
    for (const tokens of TOKENS[setting.size]) {
      const batch = makeBatch(plan, tokens, setting.seed);
      const runs = await collect(engine, batch, MILLISECONDS[setting.size]);
      yield* casesOf(plan, runs, `${tokens} tokens, ${variant}`);
    }
    await engine.unload();
  }
}

async function peakOf(
  yardstick: Yardstick,
  variant: string,
  kind: "int8" | "float",
  { size }: Setting,
): Promise<Case> {
  const nanoseconds: number[] = [];
  const duration = { threads: 1, milliseconds: PEAK_MS[size] };
  while (nanoseconds.length < PEAK_SAMPLES[size]) {
    nanoseconds.push(1e9 / (await yardstick.peak(variant, kind, duration)).gmacs);
  }
  return {
    name: `${`peak of ${kind}, 10⁹ multiply-adds`.padEnd(LABEL_WIDTH)}${variant}`,
    amount: { count: 1e9, unit: "MAC" },
    nanoseconds,
  };
}

/** One text of tokens from anywhere in the vocabulary. */
function makeBatch(plan: Plan, tokens: number, seed: number): NativeBatch {
  const random = randomNumbers(seed);
  return {
    ids: Int32Array.from({ length: tokens }, () => random() % plan.vocabSize),
    lengths: Uint32Array.of(tokens),
    dimensions: plan.embeddingSize,
    normalize: true,
    tokenLevel: false,
  };
}

async function collect(
  engine: NativeEngine,
  batch: NativeBatch,
  milliseconds: number,
): Promise<RunProfile[]> {
  const runs: RunProfile[] = [];
  await engine.embed(batch);
  profileRuns((run) => runs.push(run));
  try {
    const end = performance.now() + milliseconds;
    do await engine.embed(batch);
    while (performance.now() < end);
  } finally {
    profileRuns(undefined);
  }
  return runs;
}

/** A case for each label; a sample for each run. */
function casesOf(plan: Plan, runs: readonly RunProfile[], note: string): Case[] {
  const tallies = runs.map((run) => tally(plan, [run], 1, { int8: 1, float: 1 }).rows);
  const labels = plan.operations.map((operation) => labelOf(plan, operation));
  return [...new Set(labels)].map((label) => {
    const operation = plan.operations[labels.indexOf(label)]!;
    const { int8, float } = costOf(plan, operation, runs[0]!.lengths);
    const macs = int8 + float;
    return {
      name: `${label.padEnd(LABEL_WIDTH)}${note}`,
      ...(macs === 0 ? {} : { amount: { count: macs, unit: "MAC" } as const }),
      nanoseconds: tallies.map((rows) => {
        const { milliseconds, count } = rows.find((row) => row.label === label)!;
        return (milliseconds * 1e6) / count;
      }),
    };
  });
}
