import { systemInfo } from "../src/index.ts";
import type { Case, Setting } from "./harness.ts";
import { embedCase, openEach, textsOf, threadCount, USUAL } from "./models.ts";

/** Texts and tokens of each: many short ones, few long ones. */
const INPUTS = {
  full: [
    [64, USUAL],
    [8, 512],
  ],
  tiny: [[8, USUAL]],
} as const;

/** One thread, two, and so on to all; in both ways to share the work. */
export async function* threads(setting: Setting): AsyncGenerator<Case> {
  const { cores } = await systemInfo();
  for (let count = 1; ; count = Math.min(2 * count, cores)) {
    for (const parallelism of ["texts", "matmul"] as const) {
      for await (const embedder of openEach(setting, { threads: count, parallelism })) {
        for (const [texts, tokens] of INPUTS[setting.size]) {
          const note = `${threadCount(count)}, ${parallelism}`;
          yield await embedCase(embedder, textsOf(embedder, texts, tokens, setting), note);
        }
      }
    }
    if (count === cores) return;
  }
}
