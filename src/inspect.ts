import { buildModel } from "./arch/index.ts";
import { GgufEmbedError } from "./errors.ts";
import { elementCount } from "./gguf/block-size.ts";
import { POOLING_TYPES } from "./gguf/pooling-type.ts";
import { readGguf } from "./gguf/reader.ts";
import type { GgmlTypeName, GgufFile, StringArray } from "./gguf/types.ts";
import { modelWarnings } from "./gguf/warnings.ts";
import type { PullOptions } from "./hub/pull.ts";
import { modelPath } from "./hub/source.ts";
import { promptsFor } from "./prompts.ts";
import { checkTokenizerKind } from "./tokenizer/index.ts";

/** What a person wants to know of a model file. Goes through JSON unchanged; `null` is unknown. */
export interface Inspection {
  /** Of the file that was read, or of the first shard of a split model. */
  readonly path: string;
  /** 1, or the shards of a split model. */
  readonly fileCount: number;
  /** Bytes, of all its files. */
  readonly fileSize: number;
  /** 2 or 3. */
  readonly ggufVersion: number;
  /** `general.architecture`. */
  readonly architecture: string | null;
  /** `general.name`. */
  readonly name: string | null;
  /** Elements of all tensors. */
  readonly parameterCount: number;
  /** Of all formats. */
  readonly tensorCount: number;
  /** By bytes, the largest first. */
  readonly formats: readonly FormatShare[];
  /** Tokens. */
  readonly contextLength: number | null;
  /** Width of the hidden states. */
  readonly hiddenSize: number | null;
  /** Width of the embedding; `null` where `problem` is not, and of a reranker. */
  readonly embeddingSize: number | null;
  /** Transformer layers. */
  readonly layerCount: number | null;
  /** Heads of the queries. */
  readonly headCount: number | null;
  /** Heads of keys and values; fewer where queries share them. */
  readonly headCountKv: number | null;
  /** Tokens; a key is visible within half of it to each side. */
  readonly slidingWindow: number | null;
  /** `none`, `mean`, `cls`, `last`, `rank`, or the number that the file states. */
  readonly pooling: string | null;
  /** `null` where the file has none. */
  readonly tokenizer: TokenizerInspection | null;
  /** Tasks whose prompts are known; none where `problem` is not `null`. */
  readonly tasks: readonly string[];
  /** Why this version cannot embed with the file, without its path; `null` when it can. */
  readonly problem: string | null;
  /** What looks wrong without stopping the model from running. */
  readonly warnings: readonly string[];
}

/** What a file stores in one format. */
export interface FormatShare {
  /** The format. */
  readonly type: GgmlTypeName;
  /** Tensors that have it. */
  readonly tensorCount: number;
  /** Elements of those tensors. */
  readonly parameterCount: number;
  /** Of those tensors, scales included. */
  readonly bytes: number;
}

/** What a file says of its tokenizer. */
export interface TokenizerInspection {
  /** `llama` (SentencePiece BPE), `bert` (WordPiece), `gpt2` (byte-level BPE), `t5` (Unigram). */
  readonly model: string;
  /** Variant of the pre-tokenizer. */
  readonly pre: string | null;
  /** Tokens; 0 where the file lists none. */
  readonly vocabSize: number;
  /** Before a text: BOS or [CLS]. */
  readonly bos: SpecialToken;
  /** After a text: EOS or [SEP]. */
  readonly eos: SpecialToken;
  /** The other switches that the file sets, by their names under `tokenizer.ggml.`. */
  readonly flags: Readonly<Record<string, boolean>>;
}

/** A token that goes around a text; `null` is unknown. */
export interface SpecialToken {
  /** Its place in the vocabulary. */
  readonly id: number | null;
  /** As the vocabulary spells it. */
  readonly text: string | null;
  /** Whether the file asks for it around every text; `null` where it does not say. */
  readonly added: boolean | null;
}

/**
 * Describes a model file from its header. A file that is well-formed but cannot run is described
 * too, with the reason in `problem`.
 *
 * @param source - as `open` takes it
 * @throws GgufEmbedError `FILE_NOT_FOUND`, `BAD_FILE`, `BAD_MODEL` (shards that do not belong
 *   together), `INVALID_ARGUMENT`, and of a name as `pull` does
 */
export async function inspect(
  source: string | URL,
  options: PullOptions = {},
): Promise<Inspection> {
  const file = await readGguf(await modelPath(source, options));
  const keys = new Keys(file);
  const architecture = keys.string("general.architecture");
  const number = (key: string) => keys.number(`${architecture}.${key}`);
  const poolingType = number("pooling_type");
  return {
    path: file.path,
    fileCount: file.paths.length,
    fileSize: file.fileSize,
    ggufVersion: file.version,
    architecture,
    name: keys.string("general.name"),
    ...countTensors(file),
    contextLength: number("context_length"),
    hiddenSize: number("embedding_length"),
    layerCount: number("block_count"),
    headCount: number("attention.head_count"),
    headCountKv: number("attention.head_count_kv") ?? number("attention.head_count"),
    slidingWindow: number("attention.sliding_window"),
    pooling: poolingType === null ? null : (POOLING_TYPES[poolingType] ?? String(poolingType)),
    tokenizer: inspectTokenizer(keys),
    ...tryModel(file),
  };
}

/** Lenient access: a value of another type reads as unknown, and `problem` tells about it. */
class Keys {
  readonly #file: GgufFile;

  constructor(file: GgufFile) {
    this.#file = file;
  }

  number(key: string): number | null {
    const value = this.#value(key);
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  }

  string(key: string): string | null {
    const value = this.#value(key);
    return typeof value === "string" ? value : null;
  }

  boolean(key: string): boolean | null {
    const value = this.#value(key);
    return typeof value === "boolean" ? value : null;
  }

  strings(key: string): StringArray | null {
    const value = this.#value(key);
    return typeof value === "object" && value.type === "string" ? value : null;
  }

  /** Booleans under `prefix`, by the rest of their names. */
  flags(prefix: string, except: readonly string[]): Record<string, boolean> {
    const flags: [string, boolean][] = [];
    for (const [key, { value }] of this.#file.metadata.entries) {
      const name = key.slice(prefix.length);
      if (typeof value !== "boolean" || !key.startsWith(prefix) || except.includes(name)) continue;
      flags.push([name, value]);
    }
    return Object.fromEntries(flags);
  }

  #value(key: string) {
    return this.#file.metadata.entries.get(key)?.value;
  }
}

function countTensors({ tensors }: GgufFile) {
  const shares = new Map<GgmlTypeName, FormatShare>();
  let parameterCount = 0;
  for (const { type, shape, byteLength } of tensors.values()) {
    const share = shares.get(type) ?? { type, tensorCount: 0, parameterCount: 0, bytes: 0 };
    const elements = elementCount(shape);
    parameterCount += elements;
    shares.set(type, {
      type,
      tensorCount: share.tensorCount + 1,
      parameterCount: share.parameterCount + elements,
      bytes: share.bytes + byteLength,
    });
  }
  const formats = [...shares.values()].sort((a, b) => b.bytes - a.bytes);
  return { parameterCount, tensorCount: tensors.size, formats };
}

const TOKENIZER = "tokenizer.ggml.";

function inspectTokenizer(keys: Keys): TokenizerInspection | null {
  const model = keys.string(`${TOKENIZER}model`);
  if (model === null) return null;
  const tokens = keys.strings(`${TOKENIZER}tokens`);
  const special = (name: string): SpecialToken => {
    const id = keys.number(`${TOKENIZER}${name}_token_id`);
    const text = tokens === null || id === null ? null : stringAt(tokens, id);
    return { id, text, added: keys.boolean(`${TOKENIZER}add_${name}_token`) };
  };
  return {
    model,
    pre: keys.string(`${TOKENIZER}pre`),
    vocabSize: tokens?.length ?? 0,
    bos: special("bos"),
    eos: special("eos"),
    flags: keys.flags(TOKENIZER, ["add_bos_token", "add_eos_token"]),
  };
}

function stringAt({ bytes, starts, ends, length }: StringArray, index: number): string | null {
  if (!(Number.isInteger(index) && index >= 0 && index < length)) return null;
  return new TextDecoder().decode(bytes.subarray(starts[index], ends[index]));
}

type ModelParts = Pick<Inspection, "embeddingSize" | "tasks" | "problem" | "warnings">;

/** What building the model says about it. */
function tryModel(file: GgufFile): ModelParts {
  let warnings: string[] = [];
  try {
    warnings = modelWarnings(file);
    const { config } = buildModel(file);
    checkTokenizerKind(file.metadata);
    const { tasks } = promptsFor(config, file.metadata);
    const embeddingSize = config.pooling === "rank" ? null : config.embeddingSize;
    return { embeddingSize, tasks, problem: null, warnings };
  } catch (error) {
    if (!(error instanceof GgufEmbedError)) throw error;
    const problem = error.message.replace(`${file.path}: `, "");
    return { embeddingSize: null, tasks: [], problem, warnings };
  }
}
