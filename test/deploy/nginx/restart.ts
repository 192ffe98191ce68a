import { amountOf, findDirective, parseConfig, readConfig } from "./config.ts";
import type { Instance } from "./instance.ts";
import type { Load } from "./load.ts";

/** Requests that must be answered while an instance is away. */
const MEANWHILE = 100;

/** Milliseconds after which nginx uses an instance again, at the latest. */
export function backInUseMs(): number {
  const { values } = findDirective(parseConfig(readConfig("upstream.conf")), "server");
  const value = values.find((word) => word.startsWith("fail_timeout="));
  // Of whole seconds by its clock.
  return amountOf(value?.split("=")[1] ?? "") + 1000;
}

/**
 * Ends an instance under load and starts it again, as docs/operations.md says. Gives its exit code
 * once nginx uses it again.
 */
export async function restart(
  instance: Instance,
  signal: "SIGTERM" | "SIGKILL",
  load: Load,
): Promise<number> {
  const code = await instance.end(signal);
  await load.more(MEANWHILE);
  await instance.start();
  await Bun.sleep(backInUseMs());
  return code;
}
