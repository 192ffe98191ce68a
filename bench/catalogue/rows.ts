/** What the catalogue tells of: formats, architectures, and models that people use. */
import { join } from "node:path";
import { ensureFile } from "../../scripts/cached.ts";
import { ensureMiniLM } from "../../scripts/models.ts";
import { CACHE } from "../../scripts/paths.ts";
import { llamaTools } from "../../scripts/peers/llama-tools.ts";
import { ensureInstalled, folderOf } from "../../scripts/peers.ts";
import { logToStderr, runOrThrow } from "../../scripts/process.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import { sharedPath } from "../../test/reference/golden.ts";
import { ensureShape, type ShapeName } from "./shapes.ts";

export type Group = "formats" | "architectures";

export interface Row {
  /** Of the command line. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  /** A file with float64 references of that name, in `../shared`. */
  readonly golden?: string;
  readonly goldenModel?: () => Promise<string>;
  /** What the batch runs on. */
  readonly speedModel?: () => Promise<string>;
  readonly speedTitle?: string;
}

/** Type of most matrices, and what llama.cpp's tool calls a file of it. */
const FORMATS: Readonly<Record<string, string>> = {
  F32: "F32",
  F16: "F16",
  BF16: "BF16",
  Q8_0: "Q8_0",
  Q5_1: "Q5_1",
  Q5_0: "Q5_0",
  Q4_1: "Q4_1",
  Q4_0: "Q4_0",
  IQ4_NL: "IQ4_NL",
  Q6_K: "Q6_K",
  Q5_K: "Q5_K_S",
  Q4_K: "Q4_K_S",
  IQ4_XS: "IQ4_XS",
  Q3_K: "Q3_K_S",
  Q2_K: "Q2_K",
};

function format(type: string, fileType: string): Row {
  const golden = type === "F32" ? undefined : `mini-${fileType}`;
  return {
    id: type,
    group: "formats",
    title: `\`${type}\``,
    ...(golden === undefined
      ? {}
      : { golden, goldenModel: async () => sharedPath(`models/${golden}.gguf`) }),
    speedModel: () => ensureQuantized(fileType),
  };
}

function architecture(id: string, title: string, golden: string, shape?: ShapeName): Row {
  return {
    id,
    group: "architectures",
    title,
    golden,
    goldenModel: async () => sharedPath(`models/arch/${golden}.gguf`),
    ...(shape === undefined ? {} : { speedModel: () => ensureShape(shape), speedTitle: shape }),
  };
}

export const ROWS: readonly Row[] = [
  ...Object.entries(FORMATS).map(([type, fileType]) => format(type, fileType)),
  {
    id: "all-minilm-l6-v2",
    group: "architectures",
    title: "`bert`: the real all-MiniLM-L6-v2 in `Q8_0`",
    golden: "all-minilm-l6-v2",
    goldenModel: () => ensureMiniLM(),
    speedModel: () => ensureMiniLM(),
    speedTitle: "all-MiniLM-L6-v2",
  },
  architecture("bert-cls", "`bert`, CLS pooling", "bert-cls", "bge-small-en-v1.5"),
  architecture("bert-mean", "`bert`, mean pooling", "bert-mean"),
  architecture("xlmr", "`bert` of XLM-RoBERTa", "xlmr-cls", "multilingual-e5-small"),
  architecture("qwen3", "`qwen3`", "qwen3-embed", "Qwen3-Embedding-0.6B"),
  architecture("nomic-bert", "`nomic-bert`", "nomic-bert", "nomic-embed-text-v1.5"),
];

/** The synthetic EmbeddingGemma as llama.cpp's tool quantises it. */
async function ensureQuantized(fileType: string): Promise<string> {
  const source = await ensureSynth("full");
  if (fileType === "Q8_0") return source;
  const path = join(CACHE, "models", `embeddinggemma-synth-full-${fileType}.gguf`);
  return ensureFile(path, async () => {
    await ensureInstalled(llamaTools);
    const tool = join(folderOf(llamaTools), "bin/llama-quantize");
    // By another name first: the file must appear whole.
    const part = `${path}.part`;
    const command = [tool, "--allow-requantize", source, part, fileType];
    await runOrThrow(command, `quantising to ${fileType}`, logToStderr);
    await runOrThrow(["mv", part, path], "renaming", logToStderr);
  });
}
