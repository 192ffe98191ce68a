/**
 * A program of somebody who installed the package: calls every public function, and compiles only
 * if each gives what its documentation says. Its argument is a model file.
 */
import {
  type AddReport,
  type BatchSizeStats,
  type ConvertedModel,
  convert,
  decodeVector,
  type Embedder,
  type EmbedOptions,
  type EmbedResult,
  ERROR_CODES,
  type ErrorCode,
  encodeVectors,
  formatInspection,
  formatModels,
  GGML_TYPES,
  GgufEmbedError,
  type IndexHit,
  type IndexSettings,
  inspect,
  listModels,
  type Match,
  open,
  openSearchIndex,
  openTokenizer,
  type PulledModel,
  pull,
  QUANTIZE_TYPES,
  type QuantizeReport,
  type QuantizeType,
  quantize,
  rank,
  removeModel,
  type StreamResult,
  similarity,
  systemInfo,
  topK,
  verifyModel,
  version,
  type WriteProgress,
} from "ggufembed";
import { expectType } from "./assert.ts";

async function embed(model: Embedder): Promise<void> {
  const one = await model.embed("one");
  expectType<EmbedResult>()(one);
  expectType<Float32Array>()(one.embedding);
  const many = await model.embed(["one", "two"]);
  expectType<EmbedResult[]>()(many);
  // An element may be missing: the consumer has noUncheckedIndexedAccess.
  expectType<Float32Array | undefined>()(many[0]?.embedding);
  const int8 = await model.embed("one", { encoding: "int8" });
  expectType<Int8Array>()(int8.embedding);
  const binary = model.embedSync(["one"], { encoding: "binary" });
  expectType<EmbedResult<"binary">[]>()(binary);
  expectType<Uint8Array | undefined>()(binary[0]?.embedding);
  expectType<Float32Array>()(model.embedSync(model.tokenize("one")).embedding);
  expectType<Int32Array>()(model.tokenize("one"));
  expectType<string>()(model.detokenize([1, 2]));
  for await (const result of model.stream(new Set(["one"]), { encoding: "int8" })) {
    expectType<StreamResult<"int8">>()(result);
    expectType<number>()(result.index);
  }
  // Not known before it runs: then it is one of them.
  const encoding = one.tokens > 1 ? ("int8" as const) : ("binary" as const);
  const either = await model.embed("one", { encoding });
  expectType<Int8Array | Uint8Array>()(either.embedding);
  // Options may be undefined, under exactOptionalPropertyTypes too.
  const options: EmbedOptions = { signal: undefined, task: undefined, dimensions: undefined };
  await model.embed("one", options);
  for await (const chunk of model.chunk("a document", { task: "document", overlap: 2 })) {
    expectType<number>()(chunk.start);
  }
  expectType<string>()(await model.fingerprint({ encoding: "int8" }));
  expectType<number>()(model.stats().queue.waiting.tokens);
  for (const size of model.stats().batchSizes) expectType<BatchSizeStats>()(size);
  console.log(one.embedding.length, int8.embedding.length, binary[0]?.embedding.length);
}

async function vectors(): Promise<void> {
  const matrix = Float32Array.from({ length: 16 }, (_, i) => i - 8);
  const int8 = encodeVectors(matrix, 8, "int8");
  expectType<Int8Array>()(int8.data);
  expectType<Uint8Array>()(encodeVectors(matrix, 8, "binary").data);
  expectType<Float32Array>()(decodeVector(int8.data, int8.scales[0]));
  const query = matrix.subarray(0, 8);
  expectType<Match[]>()(await topK(query, matrix, 2));
  expectType<Match[][]>()(await topK([query, query], matrix, 2, { metric: "dot" }));
  expectType<Match[]>()(await rank({ embedding: query, scale: 1 }, [query]));
  expectType<Match[][]>()(await rank(int8, int8));
  expectType<number>()(similarity(query, query));
}

async function documents(model: Embedder): Promise<void> {
  await using index = await openSearchIndex({ path: ":memory:", model, maxTokens: undefined });
  const document = { id: "one", text: "one", metadata: { year: 2024, draft: null } };
  expectType<AddReport>()(await index.add(document));
  expectType<AddReport>()(await index.add(new Set([document]), { signal: undefined }));
  const hits = await index.search("one", { mode: "hybrid", filter: { metadata: { year: 2024 } } });
  expectType<IndexHit[]>()(hits);
  expectType<number | undefined>()(hits[0]?.similarity);
  expectType<string | undefined>()(index.documents({ id: "o*" })[0]?.id);
  expectType<IndexSettings | undefined>()(index.stats().settings);
  expectType<number>()(index.remove("one"));
}

async function files(path: string): Promise<void> {
  const inspection = await inspect(new URL(`file://${path}`));
  expectType<string | null>()(inspection.architecture);
  expectType<string>()(formatInspection(inspection));
  expectType<readonly QuantizeType[]>()(QUANTIZE_TYPES);
  const report = await quantize(path, `${path}.requantized`, { type: "Q4_0", requantize: true });
  expectType<QuantizeReport>()(report);
  const { encode } = await openTokenizer(path);
  expectType<(text: string) => Int32Array>()(encode);
  expectType<string>()(formatModels(await listModels()));
  expectType<string>()(version);
  expectType<string | undefined>()((await systemInfo()).problem);
  expectType<8>()(GGML_TYPES.Q8_0);
}

/** Compiled only: it needs a network. */
export async function network(): Promise<void> {
  expectType<PulledModel>()(await pull("org/repo:Q8_0", { offline: true }));
  expectType<string>()((await removeModel("org/repo")).path);
}

/** Compiled only: it needs the folder of a model. */
export async function conversion(signal: AbortSignal): Promise<void> {
  const onProgress = ({ written, total }: WriteProgress) => console.error(written / total);
  const options = { type: "Q4_K", name: "mine", threads: 2, signal, onProgress } as const;
  expectType<ConvertedModel>()(await convert("model", "model.gguf", options));
}

/** Compiled only: each of these must be refused. */
export async function wrong(model: Embedder): Promise<void> {
  // @ts-expect-error: a number is no text
  await model.embed(1);
  // @ts-expect-error: there is no such encoding
  await model.embed("one", { encoding: "int4" });
  // @ts-expect-error: nor such a way to truncate
  await model.embed("one", { truncate: true });
  // @ts-expect-error: what blocks cannot be cancelled
  model.embedSync("one", { signal: AbortSignal.timeout(1) });
  // @ts-expect-error: one text gives one result
  (await model.embed("one"))[0];
  // @ts-expect-error: results are not to be changed
  (await model.embed("one")).tokens = 0;
  // @ts-expect-error: there is no such code
  new GgufEmbedError("TROUBLE", "");
  // @ts-expect-error: bits are not encoded again
  encodeVectors(new Uint8Array(1), 8, "int8");
  // @ts-expect-error: it wants to know where from
  await open();
}

const path = process.argv[2] ?? "";
{
  await using model = await open(path, { threads: 1, parallelism: "auto", offline: true });
  expectType<Embedder>()(model);
  await embed(model);
  await documents(model);
  expectType<"pass" | "fail" | "unknown">()((await verifyModel(model)).status);
}
await vectors();
await files(path);
try {
  await open(`${path}.missing`, { offline: true });
} catch (error) {
  if (!(error instanceof GgufEmbedError)) throw error;
  expectType<ErrorCode>()(error.code);
  expectType<number | undefined>()(error.index);
  console.log(error.code, ERROR_CODES.includes(error.code));
}
