/**
 * Takes SIGTERM and SIGINT over from the command line, which would leave at once: each of them,
 * again and again, calls back.
 */
export function onStop(callback: () => void): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, callback);
  }
}

/** Resolves at the first of them. */
export function untilStop(): Promise<void> {
  return new Promise((resolve) => onStop(resolve));
}
