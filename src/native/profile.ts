/** Where the time of one native run went. */
export interface RunProfile {
  /** Tokens of each text of the batch. */
  readonly lengths: Uint32Array;
  /** The whole run; every thread has this much. */
  readonly runNanoseconds: number;
  /**
   * `[threads][operations][2]` nanoseconds: in each operation of the plan, and behind it until all
   * threads had done it. Zero throughout for a thread that the run left asleep.
   */
  readonly cells: Float32Array;
}

export type ProfileListener = (profile: RunProfile) => void;

let listener: ProfileListener | undefined;

/**
 * Tells about every batch that this JavaScript thread embeds from now on, or about none. Costs
 * some microseconds a batch while somebody listens.
 */
export function profileRuns(listen: ProfileListener | undefined): void {
  listener = listen;
}

export function profileListener(): ProfileListener | undefined {
  return listener;
}
