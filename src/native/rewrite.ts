import { GgufEmbedError } from "../errors.ts";
import { GGML_TYPES, type GgmlTypeName } from "../gguf/types.ts";
import * as abi from "./abi.ts";
import { expectOk } from "./bindings.ts";
import { connect } from "./engine.ts";
import { Job, type JobFailure } from "./job.ts";
import { writeStruct } from "./struct.ts";
import { wantedVariant } from "./variant.ts";

/** A run of a tensor that goes from one file to another. */
export interface Passage {
  /** Of the tensor, for errors. */
  readonly name: string;
  /** Bytes. */
  readonly sourceOffset: number;
  /** Bytes. */
  readonly targetOffset: number;
  /** Numbers, whole blocks of both types; bytes where nothing changes. */
  readonly count: number;
  /** Absent where bytes are copied. */
  readonly types?: { readonly from: GgmlTypeName; readonly to: GgmlTypeName } | undefined;
  /** Added to every number, in float32; nothing to bytes. */
  readonly plus?: number | undefined;
}

/** Two files that are open, and by what name errors call them. */
export interface RewriteFiles {
  readonly source: { readonly fd: number; readonly path: string };
  readonly target: { readonly fd: number; readonly path: string };
}

/**
 * Reads, encodes and writes all passages on so many native threads. Both files must stay open until
 * it settles, and it cannot be aborted: give it what takes a fraction of a second.
 *
 * Rejects with `BAD_FILE` where the source is shorter than it said, `NOT_FINITE`, and with the
 * system's own error (a `code`, a `syscall`) where the target cannot be written.
 */
export async function rewritePassages(
  files: RewriteFiles,
  passages: readonly Passage[],
  threads: number,
): Promise<void> {
  const { library, channel } = await connect();
  const spec = encodeRewriteSpec(files, passages, threads);
  const ticket = new BigUint64Array(new ArrayBuffer(8));
  const status = library.symbols.ggufembed_rewrite(channel.id, spec, spec.length, ticket);
  expectOk(status, "rewriting a file");
  const job = new Job(library, Number(ticket[0]), (failure) => failed(failure, files, passages));
  await job.settle(channel, 0);
}

function encodeRewriteSpec(
  { source, target }: RewriteFiles,
  passages: readonly Passage[],
  threads: number,
): Uint8Array {
  const passageOffset = abi.RewriteSpec.$size;
  const length = passageOffset + passages.length * abi.Passage.$size;
  const view = new DataView(new ArrayBuffer(length));
  writeStruct(view, 0, abi.RewriteSpec, {
    size: abi.RewriteSpec.$size,
    abi_version: abi.ABI_VERSION,
    variant: wantedVariant(),
    threads,
    source_fd: source.fd,
    target_fd: target.fd,
    passage_count: passages.length,
    passage_offset: passageOffset,
  });
  for (const [i, passage] of passages.entries()) {
    const { types } = passage;
    writeStruct(view, passageOffset + i * abi.Passage.$size, abi.Passage, {
      source_offset: passage.sourceOffset,
      target_offset: passage.targetOffset,
      count: passage.count,
      source_type: types === undefined ? abi.NONE : GGML_TYPES[types.from],
      target_type: types === undefined ? abi.NONE : GGML_TYPES[types.to],
      plus: passage.plus ?? 0,
    });
  }
  return new Uint8Array(view.buffer);
}

function failed(
  { status, part, message }: JobFailure,
  { source, target }: RewriteFiles,
  passages: readonly Passage[],
): Error {
  const passage = passages[part];
  const where = `${source.path}, tensor ${passage?.name}`;
  switch (status) {
    case abi.Status.not_written: {
      const error = new Error(`${message}: cannot write ${target.path}`);
      return Object.assign(error, { code: message, syscall: "pwrite" });
    }
    case abi.Status.not_finite: {
      const advice = "the file is damaged: download or convert it again";
      return new GgufEmbedError("NOT_FINITE", `${where}: ${message}; ${advice}`);
    }
    case abi.Status.too_large: {
      const format = `${message} ${passage?.types?.to}`;
      return new GgufEmbedError("NOT_FINITE", `${where}: ${format}; BF16 and F32 can hold it`);
    }
    case abi.Status.file_changed: {
      const advice = "it changed while it was read: try again";
      return new GgufEmbedError("BAD_FILE", `${where}: ${message}; ${advice}`);
    }
    case abi.Status.out_of_memory:
      return new GgufEmbedError("OUT_OF_RESOURCES", `${source.path}: no memory left; free some`);
    default: {
      const why = message || "this CPU cannot do it: see `ggufembed doctor`";
      return new GgufEmbedError("NATIVE", `${where}: ${why}`);
    }
  }
}
