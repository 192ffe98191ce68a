/** One tensor to put into a safetensors file. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function float32(shape: readonly number[], values: Float32Array): Tensor {
  return tensorOf("F32", shape, values);
}

/** `values` are as the format stores them. */
export function tensorOf(dtype: string, shape: readonly number[], values: ArrayBufferView): Tensor {
  return { dtype, shape, bytes: new Uint8Array(values.buffer) };
}

/** A well-formed safetensors file. */
export function safetensors(tensors: Readonly<Record<string, Tensor>>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  return safetensorsOf(JSON.stringify(header), ...Object.values(tensors).map((t) => t.bytes));
}

/** Any header, sound or not, and the data behind it. */
export function safetensorsOf(header: string, ...data: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(header);
  const length = new Uint8Array(BigUint64Array.of(BigInt(text.length)).buffer);
  return new Uint8Array(Buffer.concat([length, text, ...data]));
}
