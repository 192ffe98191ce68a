import { setTimeout as sleep } from "node:timers/promises";
import type { Transient } from "./response.ts";

const RETRY_DELAY_MS = 500;
const RETRY_DELAY_MS_MAX = 30_000;

export interface Retrying {
  /** Wait before the second attempt; doubles with each, to 30 s at most. Default 500. */
  readonly retryDelayMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits before the next attempt after so many fruitless ones: as long as the server asked for, if
 * that is longer. Throws the signal's reason when it aborts.
 */
export async function pause(fruitless: number, error: Transient, retrying: Retrying) {
  const { retryDelayMs = RETRY_DELAY_MS, signal } = retrying;
  const backoffMs = retryDelayMs * 2 ** Math.max(fruitless - 1, 0);
  const delayMs = Math.min(Math.max(backoffMs, error.delayMs), RETRY_DELAY_MS_MAX);
  await abortableSleep(delayMs, signal);
}

/** Throws the signal's own reason, where Node wraps it. */
export async function abortableSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => {});
  signal?.throwIfAborted();
}
