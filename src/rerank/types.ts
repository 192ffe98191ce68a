/** What is asked of `rerank`, for all documents of a call. */
export interface RerankOptions {
  /** Rejects the call with the signal's reason; calls in flight beside it lose nothing. */
  readonly signal?: AbortSignal | undefined;
  /** How many documents to give, the best. Default: all. */
  readonly topN?: number | undefined;
  /**
   * What a document loses that does not fit beside the query: its end, or nothing and the call is
   * an error. The query is never cut. Default `"end"`.
   */
  readonly truncate?: "error" | "end" | undefined;
  /** Most tokens of all pairs of a call, after `truncate`. Default: as many as there are. */
  readonly tokenLimit?: number | undefined;
}

/** How well one document answers the query. */
export interface RerankResult {
  /** Position of the document in the caller's input. */
  readonly index: number;
  /** Relevance from 0 to 1: the sigmoid of a logit, or the probability of "yes". */
  readonly score: number;
  /** The model's own score: a logit, or the probability of "yes". */
  readonly raw: number;
  /** Tokens of query and document that went through the model, special tokens included. */
  readonly tokens: number;
  /** Tokens of the document that `truncate` dropped; 0 when nothing was. */
  readonly truncated: number;
}
