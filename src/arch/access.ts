import type { BufferId, Operation } from "./plan.ts";

/** How one operation touches the activation buffers. */
export interface Access {
  /** Read as float32, in the order of the operation's fields. */
  readonly reads: readonly BufferId[];
  /** A matmul's input: its matrix decides in which form it is read. */
  readonly multiplied?: BufferId;
  readonly writes: readonly BufferId[];
  /**
   * Whether what is written gets every form that the buffer has. The others write float32 only, and
   * a `quantize` must follow before an int8 matmul reads it.
   */
  readonly writesAllForms: boolean;
}

/** The buffers that an operation reads and writes. Exhaustive: a new operation does not compile. */
export function accessOf(operation: Operation): Access {
  switch (operation.op) {
    case "embed":
      return { reads: [], writes: [operation.dst], writesAllForms: false };
    case "add_position":
    case "add_row":
    case "add_type":
      return { reads: [operation.dst], writes: [operation.dst], writesAllForms: false };
    case "rms_norm":
      return {
        reads: present(operation.src, operation.residual),
        writes: present(operation.dst, operation.next?.dst),
        writesAllForms: true,
      };
    case "layer_norm":
    case "activation":
    case "pool":
      return { reads: [operation.src], writes: [operation.dst], writesAllForms: true };
    case "matmul":
      return {
        reads: present(operation.residual),
        multiplied: operation.src,
        writes: [operation.dst],
        writesAllForms: false,
      };
    case "activated_matmul":
      return {
        reads: [],
        multiplied: operation.src,
        writes: [operation.dst],
        writesAllForms: true,
      };
    case "quantize":
      return { reads: [operation.buffer], writes: [operation.buffer], writesAllForms: true };
    case "prepare_heads":
      // Q and K are normed, rotated and scaled where they lie.
      return {
        reads: [operation.src],
        writes: [operation.src, operation.keys],
        writesAllForms: false,
      };
    case "attention":
      return {
        reads: [operation.src, operation.keys],
        writes: [operation.dst],
        writesAllForms: true,
      };
    case "output":
      return { reads: [operation.src], writes: [], writesAllForms: false };
  }
}

function present(...buffers: (BufferId | undefined)[]): BufferId[] {
  return buffers.filter((buffer) => buffer !== undefined);
}
