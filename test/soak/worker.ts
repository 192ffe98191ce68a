/** A Worker of the mixed soak: takes a plan, gives its tally. */
import { type Plan, runCalls } from "./calls.ts";

declare const self: Worker;

self.onmessage = async ({ data }: MessageEvent<Plan>) => {
  self.postMessage(await runCalls(data));
};
