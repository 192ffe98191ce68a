import { buildModel } from "../../src/arch/index.ts";
import type { Precision } from "../../src/arch/plan.ts";
import type { GgufFile } from "../../src/gguf/types.ts";
import { NONE, VARIANTS } from "../../src/native/abi.ts";
import { connect, type NativeBatch, NativeEngine } from "../../src/native/engine.ts";
import type { LoadSettings } from "../../src/native/spec.ts";
import { nativeInfo } from "../../src/native/system.ts";

export interface NativeOptions extends Partial<LoadSettings> {
  readonly tokenLevel?: boolean;
  readonly precision?: Precision | undefined;
}

/** The variants that this machine can run, as the native side numbers them. */
export const variants: readonly number[] = (await nativeInfo()).variants.map((name) =>
  (VARIANTS as readonly string[]).indexOf(name),
);

export async function loadNative(
  file: GgufFile,
  options: NativeOptions = {},
  signal?: AbortSignal,
): Promise<NativeEngine> {
  const { plan } = buildModel(file, { precision: options.precision });
  const settings = {
    paths: file.paths,
    threads: 2,
    parallelism: "auto",
    variant: NONE,
    tokenCapacity: Math.max(2048, plan.contextLength),
    ...options,
  } as const;
  return NativeEngine.load(await connect(), plan, settings, signal);
}

/** Texts of token ids as one batch. */
export function batchOf(
  file: GgufFile,
  texts: readonly ArrayLike<number>[],
  tokenLevel = false,
): NativeBatch {
  const { plan } = buildModel(file);
  return {
    ids: Int32Array.from(texts.flatMap((ids) => Array.from(ids))),
    lengths: Uint32Array.from(texts, (ids) => ids.length),
    dimensions: tokenLevel ? plan.hiddenSize : plan.embeddingSize,
    normalize: !tokenLevel,
    tokenLevel,
  };
}

/** Vectors of one batch, cut apart. */
export async function runNative(
  file: GgufFile,
  texts: readonly ArrayLike<number>[],
  options: NativeOptions = {},
): Promise<Float32Array[]> {
  const engine = await loadNative(file, options);
  const batch = batchOf(file, texts, options.tokenLevel);
  const output = await engine.embed(batch);
  await engine.unload();
  return cut(output, batch.dimensions);
}

export function cut(output: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: output.length / width }, (_, i) =>
    output.slice(i * width, (i + 1) * width),
  );
}

/** Float32 bits, so that NaN and the sign of zero count. */
export function bitsOf(vectors: readonly Float32Array[]): string[] {
  return vectors.map((vector) => Buffer.from(vector.slice().buffer).toString("hex"));
}

/** The same texts on every call: lengths mixed, short ones first. */
export function seededTexts(vocabSize: number, lengths: readonly number[]): number[][] {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  return lengths.map((length) => Array.from({ length }, () => next() % vocabSize));
}
