/**
 * Text embeddings from GGUF files on the CPU.
 *
 * @module
 */
export type { ModelPooling, Pooling, Precision } from "./arch/plan.ts";
export type { ModelConfig } from "./arch/types.ts";
export type { Chunk, ChunkOptions } from "./chunk/types.ts";
export { type ConvertedModel, type ConvertOptions, convert } from "./convert/convert.ts";
export type { DownloadProgress } from "./download/download.ts";
export { ERROR_CODES, type ErrorCode, type ErrorDetails, GgufEmbedError } from "./errors.ts";
export { GGML_TYPES, type GgmlTypeName } from "./gguf/types.ts";
export type { ModelCache } from "./hub/folders.ts";
export { type ListedModel, listModels, pull, removeModel } from "./hub/index.ts";
export { formatModels } from "./hub/list-format.ts";
export type { PulledModel, PullOptions } from "./hub/pull.ts";
export {
  type FormatShare,
  type Inspection,
  inspect,
  type SpecialToken,
  type TokenizerInspection,
} from "./inspect.ts";
export { formatInspection } from "./inspect-format.ts";
export type { NativeInfo } from "./native/system.ts";
export { open, openTokenizer } from "./open.ts";
export type { CacheStats } from "./pipeline/cache.ts";
export {
  QUANTIZE_TYPES,
  type QuantizedTensor,
  type QuantizeOptions,
  type QuantizeReport,
  type QuantizeType,
  quantize,
} from "./quantize/index.ts";
export type { WriteOptions, WriteProgress } from "./quantize/write.ts";
export type { RerankOptions, RerankResult } from "./rerank/types.ts";
export { openSearchIndex } from "./search/search-index.ts";
export type {
  AddOptions,
  AddReport,
  IndexDocument,
  IndexedDocument,
  IndexFilter,
  IndexHit,
  IndexProgress,
  IndexSearchOptions,
  IndexSettings,
  IndexStats,
  MetadataValue,
  SearchIndex,
  SearchIndexOptions,
  SearchMode,
} from "./search/types.ts";
export type {
  BatchSizeStats,
  CallStats,
  EmbedderStats,
  MemoryStats,
  QueueStats,
  WaitingStats,
  WorkStats,
} from "./stats.ts";
export { type SystemInfo, systemInfo, version } from "./system.ts";
export type { Tokenizer } from "./tokenizer/types.ts";
export type {
  CloseOptions,
  DocumentOptions,
  Embedder,
  EmbedOptions,
  EmbedResult,
  FingerprintOptions,
  LayerFingerprint,
  OpenOptions,
  Parallelism,
  StreamResult,
  TextInput,
  Truncate,
  VectorOf,
} from "./types.ts";
export { decodeVector, encodeVectors } from "./vectors/encode.ts";
export type { Vectors } from "./vectors/rows.ts";
export {
  type Match,
  type Metric,
  type Queries,
  rank,
  type SearchOptions,
  topK,
} from "./vectors/search.ts";
export { similarity } from "./vectors/similarity.ts";
export type {
  EncodedVectors,
  Encoding,
  ScaledVector,
  VectorArray,
  VectorLike,
  VectorMatrix,
} from "./vectors/types.ts";
export { type FigureCheck, type VerifyReport, verifyModel } from "./verify/index.ts";
export type { PublishedFigure, PublishedText } from "./verify/published.ts";
