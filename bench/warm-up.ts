/** Calls after which `auto` has tried what it wants to try. */
const CALLS = 10;

/** Runs what is to be measured: ten times, or for so many seconds if that is less, but once. */
export async function warmUp(run: () => unknown, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (let calls = 0; calls === 0 || (calls < CALLS && performance.now() < end); calls++) {
    await run();
  }
}
