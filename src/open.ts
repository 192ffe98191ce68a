import { fileURLToPath } from "node:url";
import { buildModel } from "./arch/index.ts";
import type { Pooling, Precision } from "./arch/plan.ts";
import { usableCores } from "./cores.ts";
import { ModelEmbedder } from "./embedder.ts";
import { invalidArgument } from "./errors.ts";
import { readGguf } from "./gguf/reader.ts";
import { connect, NativeEngine } from "./native/engine.ts";
import { wantedVariant } from "./native/variant.ts";
import { promptsFor } from "./prompts.ts";
import { createTokenizer } from "./tokenizer/index.ts";
import type { Tokenizer } from "./tokenizer/types.ts";
import type { Embedder, OpenOptions } from "./types.ts";

const THREADS_MAX = 256;
const POOLINGS: readonly Pooling[] = ["none", "mean", "cls", "last"];
const PRECISIONS: readonly Precision[] = ["default", "high"];
/** Tokens of a batch: enough to keep every core busy, few enough to stay in the caches. */
const TOKEN_BUDGET = 2048;

/**
 * Opens a model from a GGUF file.
 *
 * @param source path or `file:` URL
 * @throws GgufEmbedError `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL`, `UNSUPPORTED`, `NATIVE`,
 *   `INVALID_ARGUMENT`; the signal's reason when aborted
 *
 * @example
 * await using model = await open("all-MiniLM-L6-v2-Q8_0.gguf");
 * const { embedding } = await model.embed("The weather is lovely today.");
 */
export async function open(source: string | URL, options: OpenOptions = {}): Promise<Embedder> {
  const { signal, parallelism = "auto" } = options;
  signal?.throwIfAborted();
  const threads = checkThreads(options.threads ?? Math.min(usableCores(), THREADS_MAX));
  if (parallelism !== "auto" && parallelism !== "texts" && parallelism !== "matmul") {
    throw invalidArgument(
      `parallelism is ${JSON.stringify(parallelism)}; it must be "auto", "texts" or "matmul"`,
    );
  }
  const path = pathOf(source);
  const { pooling, precision } = options;
  checkChoice("pooling", pooling, POOLINGS);
  checkChoice("precision", precision, PRECISIONS);
  // Meanwhile; what it has to say comes after what there is to say of the file.
  const connecting = connect();
  connecting.catch(() => {});
  const file = await readGguf(path);
  const { config, plan } = buildModel(file, { pooling, precision });
  const tokenBudget = Math.max(TOKEN_BUDGET, plan.contextLength);
  const settings = {
    path,
    threads,
    parallelism,
    variant: wantedVariant(),
    tokenCapacity: tokenBudget,
  };
  const connection = await connecting;
  // The native threads pack weights while this one builds the vocabulary's index.
  const loading = NativeEngine.load(connection, plan, settings, signal);
  let tokenizer: Tokenizer;
  try {
    tokenizer = createTokenizer(file.metadata);
  } catch (error) {
    // Not before the native side has let go of the file, which the caller may now replace.
    await loading.then((engine) => engine.unload()).catch(() => {});
    throw error;
  }
  const engine = await loading;
  const prompts = promptsFor(config, file.metadata);
  const { layerEnds } = plan;
  return new ModelEmbedder({
    config,
    tokenizer,
    prompts,
    engine,
    threads,
    layerEnds,
    tokenBudget,
  });
}

/**
 * Opens only the tokenizer of a GGUF file, which may hold a vocabulary and nothing else.
 *
 * @throws GgufEmbedError `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL`, `UNSUPPORTED`
 */
export async function openTokenizer(source: string | URL): Promise<Tokenizer> {
  const path = pathOf(source);
  return createTokenizer((await readGguf(path)).metadata);
}

function pathOf(source: string | URL): string {
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw invalidArgument(
      `the model is ${source === null ? "null" : typeof source}, not a path or a URL`,
    );
  }
  const isPath = typeof source === "string" && !source.startsWith("file:");
  if (isPath && source.includes("\0"))
    throw invalidArgument("the model's path has a NUL character");
  if (isPath) return source;
  if (source instanceof URL && source.protocol !== "file:") {
    throw invalidArgument(`${source.href} is not a file: download the model and give its path`);
  }
  try {
    return fileURLToPath(source);
  } catch (cause) {
    throw invalidArgument(`${source} is not the URL of a file here: give the model's path`, {
      cause,
    });
  }
}

function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw invalidArgument(
    `${name} is ${JSON.stringify(value)}; it must be one of ${choices.join(", ")}`,
  );
}

function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX) return threads;
  throw invalidArgument(
    `threads is ${threads}; it must be a whole number from 1 to ${THREADS_MAX}`,
  );
}
