/** A text's vector, and what belongs to it. */
export interface ResultRow {
  readonly id: string;
  readonly tokens: number;
  /** Tokens that were cut off. */
  readonly truncated: number;
  /** A JSON object, as text. */
  readonly fields: string;
  readonly embedding: Float32Array;
}

/** The results of a batch. */
export interface ResultBatch {
  /** Of the batch's input: its name, and the position of its first text in it. */
  readonly run: string;
  readonly position: number;
  /** Each id is there once. */
  readonly rows: readonly ResultRow[];
}

/** What all vectors of a store have in common. */
export interface ResultKind {
  readonly fingerprint: string;
  /** The model's name, for messages. */
  readonly model: string;
  readonly dimensions: number;
}

/** Where results go. Workers in several processes may have the same one open. */
export interface ResultStore {
  /**
   * Files all rows under their ids, or none. What resolves is durable: it outlives the process and
   * the machine's power. The same batch again leaves what one leaves.
   */
  write(batch: ResultBatch): Promise<void>;
  close(): Promise<void>;
}
