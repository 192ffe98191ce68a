/**
 * What `promise` gives, unless `signal` aborts first: then the promise rejects with its reason.
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const first = Promise.withResolvers<T>();
  // Even if the signal has aborted already: what nobody waits for may fail, and end nothing.
  promise.then(first.resolve, first.reject);
  if (signal.aborted) first.reject(signal.reason);
  const onAbort = () => first.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await first.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
