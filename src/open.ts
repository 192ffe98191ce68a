import { buildModel } from "./arch/index.ts";
import type { Pooling, Precision } from "./arch/plan.ts";
import { usableCores } from "./cores.ts";
import { ModelEmbedder } from "./embedder.ts";
import { invalidArgument } from "./errors.ts";
import { FileContent } from "./fingerprint.ts";
import { readGguf } from "./gguf/reader.ts";
import type { PullOptions } from "./hub/pull.ts";
import { modelPath } from "./hub/source.ts";
import { connect, NativeEngine } from "./native/engine.ts";
import { wantedVariant } from "./native/variant.ts";
import { VectorCache } from "./pipeline/cache.ts";
import { checkChoice } from "./pipeline/settings.ts";
import { promptsFor } from "./prompts.ts";
import { Pairs } from "./rerank/pairs.ts";
import { Admission } from "./scheduler/admission.ts";
import { createTokenizer } from "./tokenizer/index.ts";
import type { Tokenizer } from "./tokenizer/types.ts";
import type { Embedder, OpenOptions, Parallelism } from "./types.ts";

const THREADS_MAX = 256;
const POOLINGS: readonly Pooling[] = ["none", "mean", "cls", "last"];
const PARALLELISMS: readonly Parallelism[] = ["auto", "texts", "matmul"];
const PRECISIONS: readonly Precision[] = ["default", "high"];
/** Tokens of a batch: enough to keep every thread busy, few enough to stay in the caches. */
const TOKEN_BUDGET = 2048;
const TOKENS_A_THREAD = 128;

/**
 * Opens a model from a GGUF file.
 *
 * @param source - path, `file:` URL, or a name as `pull` takes it; a path that exists wins. A model
 *   that is not on this machine is downloaded, unless that is forbidden. Of a split model, the path
 *   of any shard.
 * @throws GgufEmbedError `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL`, `UNSUPPORTED`, `NATIVE`,
 *   `NOT_FINITE`, `OUT_OF_RESOURCES`, `INVALID_ARGUMENT`, and of a name as `pull` does; the
 *   signal's reason when aborted
 *
 * @example
 * ```ts
 * await using model = await open("all-MiniLM-L6-v2-Q8_0.gguf");
 * const { embedding } = await model.embed("The weather is lovely today.");
 * ```
 */
export async function open(source: string | URL, options: OpenOptions = {}): Promise<Embedder> {
  const { signal, parallelism = "auto" } = options;
  signal?.throwIfAborted();
  const threads = checkThreads(options.threads ?? Math.min(usableCores(), THREADS_MAX));
  checkChoice("parallelism", parallelism, PARALLELISMS);
  const { pooling, precision } = options;
  if (pooling !== undefined) checkChoice("pooling", pooling, POOLINGS);
  if (precision !== undefined) checkChoice("precision", precision, PRECISIONS);
  const admission = new Admission(options.queueLimit);
  const cache = cacheOf(options.cacheBytes ?? 0);
  const path = await modelPath(source, options);
  // Meanwhile; what it has to say comes after what there is to say of the file.
  const connecting = connect();
  connecting.catch(() => {});
  const content = await FileContent.of(path);
  const file = await readGguf(path);
  const { config, plan, reranker } = buildModel(file, { pooling, precision });
  const prompts = promptsFor(config, file.metadata, options.prompts);
  const tokenBudget = Math.max(TOKEN_BUDGET, TOKENS_A_THREAD * threads);
  const tokenCapacity = Math.max(tokenBudget, plan.contextLength);
  const settings = {
    paths: file.paths,
    threads,
    parallelism,
    variant: wantedVariant(),
    tokenCapacity,
  };
  const connection = await connecting;
  // The native threads pack weights while this one builds the vocabulary's index.
  const loading = NativeEngine.load(connection, plan, settings, signal);
  let tokenizer: Tokenizer;
  let pairs: Pairs | undefined;
  try {
    tokenizer = createTokenizer(file.metadata);
    if (reranker !== undefined) {
      const { contextLength, typeCount } = plan;
      const about = { kind: reranker, tokenizer, contextLength, typeCount };
      pairs = new Pairs(file.metadata, about);
    }
  } catch (error) {
    // Not before the native side has let go of the file, which the caller may now replace.
    await loading.then((engine) => engine.unload()).catch(() => {});
    throw error;
  }
  const engine = await loading;
  const { layerEnds, weights } = plan;
  const matrices = weights.filter(({ kind }) => kind === "matrix");
  const macsPerToken = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  return new ModelEmbedder({
    config,
    tokenizer,
    prompts,
    reranker: reranker && pairs && { kind: reranker, pairs },
    engine,
    content,
    threads,
    layerEnds,
    tokenBudget,
    tokenCapacity,
    macsPerToken,
    admission,
    cache,
  });
}

/**
 * Opens only the tokenizer of a GGUF file, which may hold a vocabulary and nothing else.
 *
 * @param source - as `open` takes it
 * @throws GgufEmbedError `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL`, `UNSUPPORTED`,
 *   `INVALID_ARGUMENT`, and of a name as `pull` does
 */
export async function openTokenizer(
  source: string | URL,
  options: PullOptions = {},
): Promise<Tokenizer> {
  const path = await modelPath(source, options);
  return createTokenizer((await readGguf(path)).metadata);
}

function cacheOf(bytes: number): VectorCache | undefined {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw invalidArgument(`cacheBytes is ${bytes}; it must be a whole number from 0`);
  }
  return bytes === 0 ? undefined : new VectorCache(bytes);
}

function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= THREADS_MAX) return threads;
  throw invalidArgument(
    `threads is ${threads}; it must be a whole number from 1 to ${THREADS_MAX}`,
  );
}
