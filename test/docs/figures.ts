/**
 * `bun test/docs/figures.ts`: measures the figures of docs/numbers.md and prints them, from texts
 * to vectors through the public API. Needs the embeddings that `test/reference/golden.ts` reads.
 */
import { ensureMiniLM } from "../../scripts/models.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { open, type Precision } from "../../src/index.ts";
import { type Distance, distance, readGolden, sharedPath } from "../reference/golden.ts";

interface Figure {
  /** In the tables' first column. */
  readonly name: string;
  readonly golden: string;
  /** Brings the model, and gives its path. */
  readonly model: () => string | Promise<string>;
  readonly precision?: Precision;
  /** Whether it comes from beside the repository, and in a second or less. */
  readonly isQuick: boolean;
}

function quick(name: string, golden: string, folder = "models"): Figure {
  return { name, golden, model: () => sharedPath(`${folder}/${name}.gguf`), isQuick: true };
}

function converted(type: "F32" | "F16" | "BF16"): Figure {
  const name = `all-minilm-l6-v2-${type}`;
  return { name, golden: "all-minilm-l6-v2", model: () => ensureMiniLM(type), isQuick: false };
}

/** The same in high precision. */
function high(figure: Figure): Figure {
  return { ...figure, name: `${figure.name} high`, precision: "high" };
}

const SYNTH: Figure = {
  name: "embeddinggemma-synth",
  golden: "embeddinggemma-synth",
  model: () => ensureSynth("full"),
  isQuick: false,
};
const MINI = quick("mini-Q8_0", "mini-Q8_0");
const MINI_BLOCKS = [
  ...(["Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL"] as const),
  ...(["Q2_K", "Q3_K_S", "Q4_K_S", "Q5_K_S", "Q6_K", "IQ4_XS"] as const),
] as const;

export const FIGURES: readonly Figure[] = [
  SYNTH,
  high(SYNTH),
  quick("all-minilm-l6-v2-Q8_0", "all-minilm-l6-v2"),
  converted("F32"),
  converted("F16"),
  converted("BF16"),
  MINI,
  high(MINI),
  ...MINI_BLOCKS.map((type) => quick(`mini-${type}`, `mini-${type}`)),
  ...MINI_BLOCKS.map((type) => high(quick(`mini-${type}`, `mini-${type}`))),
  quick("mini-F16", "mini-F16"),
  quick("mini-BF16", "mini-BF16"),
  quick("bert-mean", "bert-mean", "models/arch"),
  quick("bert-cls", "bert-cls", "models/arch"),
  quick("xlmr-cls", "xlmr-cls", "models/arch"),
  quick("nomic-bert", "nomic-bert", "models/arch"),
  quick("qwen3-embed", "qwen3-embed", "models/arch"),
];

export interface Measured extends Distance {
  readonly texts: number;
}

export async function measure({ golden, model, precision }: Figure): Promise<Measured> {
  const lines = readGolden(golden);
  await using embedder = await open(await model(), { precision });
  const results = await embedder.embed(lines.map(({ text }) => text));
  const found = results.map(({ embedding }) => embedding);
  const expected = lines.map(({ embedding }) => embedding);
  return { texts: lines.length, ...distance(found, expected) };
}

/** Three digits, as the tables have them. */
export function formatError(error: number): string {
  return error.toExponential(2);
}

if (import.meta.main) {
  for (const figure of FIGURES) {
    const { texts, rms, max } = await measure(figure);
    const errors = `rms ${formatError(rms)}  largest ${formatError(max)}`;
    console.log(`${figure.name.padEnd(28)}${String(texts).padStart(3)} texts  ${errors}`);
  }
}
