/** How the server behaves. */
export interface ServerSettings {
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Most bytes of a request's body. */
  readonly bodyBytesMax: number;
  /** Most texts of a request. */
  readonly itemsMax: number;
  /** Most tokens of a request; undefined: as many as its body holds. */
  readonly tokenLimit: number | undefined;
  /** Milliseconds that a request may take, waiting included. */
  readonly deadlineMs: number;
  /** Seconds that a connection may be silent while no request of it runs. */
  readonly idleSeconds: number;
  /** Milliseconds that running requests are given when the server stops. */
  readonly graceMs: number;
  /** Keys of which a request must bring one; empty: none is asked for. */
  readonly apiKeys: readonly string[];
  /** Origins whose pages may ask; `*` for all. Empty: none. */
  readonly corsOrigins: readonly string[];
}

export const DEFAULTS: ServerSettings = {
  hostname: "127.0.0.1",
  port: 8080,
  bodyBytesMax: 8 * 2 ** 20,
  // As many as OpenAI takes.
  itemsMax: 2048,
  tokenLimit: undefined,
  deadlineMs: 30_000,
  idleSeconds: 60,
  graceMs: 20_000,
  apiKeys: [],
  corsOrigins: [],
};
