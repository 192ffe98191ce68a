/**
 * What `promise` gives, unless `signal` aborts first: then the promise rejects with its reason.
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const first = Promise.withResolvers<T>();
  promise.then(first.resolve, first.reject);
  const onAbort = () => first.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await first.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
