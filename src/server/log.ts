/** What is written of a request. Never a text, a key or an address of a client. */
export interface RequestRecord {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly ms: number;
  readonly model?: string | undefined;
  readonly texts?: number | undefined;
  readonly tokens?: number | undefined;
  /** The error's code. */
  readonly code?: string | undefined;
  /** What happened inside, where the client is not told. */
  readonly cause?: string | undefined;
}

export type Log = (record: RequestRecord) => void;

/** One JSON object a line. */
export function jsonLog(write: (line: string) => void): Log {
  return (record) => {
    const level = record.status >= 500 ? "error" : record.status >= 400 ? "warn" : "info";
    const time = new Date().toISOString();
    write(`${JSON.stringify({ time, level, ...record, ms: Math.round(record.ms * 10) / 10 })}\n`);
  };
}
