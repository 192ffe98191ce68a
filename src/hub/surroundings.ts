import { homedir } from "node:os";
import type { Retrying } from "../download/retry.ts";
import { invalidArgument } from "../errors.ts";

/** What model sources depend on outside of their arguments: replaced in tests. */
export interface Surroundings extends Pick<Retrying, "retryDelayMs"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: string;
}

export function surroundings(): Surroundings {
  return { env: process.env, home: homedir(), platform: process.platform };
}

const ENDPOINT = "https://huggingface.co";

/** Where the hub is, without a slash at its end: `HF_ENDPOINT`, or huggingface.co. */
export function endpointOf({ env }: Surroundings): string {
  const endpoint = (env.HF_ENDPOINT || ENDPOINT).replace(/\/+$/, "");
  if (/^https?:\/\/[^?#@]+$/.test(endpoint) && URL.canParse(endpoint)) return endpoint;
  throw invalidArgument("HF_ENDPOINT is not an http or https address: correct or unset it");
}

/** `HF_HUB_OFFLINE` takes these in any case (`huggingface_hub/constants.py`). */
const TRUE_VALUES: readonly string[] = ["1", "ON", "YES", "TRUE"];
export const OFFLINE_VARIABLES = ["GGUFEMBED_OFFLINE", "HF_HUB_OFFLINE"] as const;

/** The variable that forbids the network, or undefined. */
export function offlineVariable({ env }: Surroundings): string | undefined {
  return OFFLINE_VARIABLES.find((name) => TRUE_VALUES.includes(env[name]?.toUpperCase() ?? ""));
}
