import type { Case, Setting } from "./harness.ts";
import { embedCase, openEach, textsOf } from "./models.ts";

const LENGTHS = { full: [8, 16, 32, 64, 128, 256, 512, 1024, 2048], tiny: [8, 64] };

/** One text, from a few words to the whole context. */
export async function* length(setting: Setting): AsyncGenerator<Case> {
  for await (const embedder of openEach(setting)) {
    for (const tokens of LENGTHS[setting.size]) {
      if (tokens > embedder.config.contextLength) continue;
      yield await embedCase(embedder, textsOf(embedder, 1, tokens, setting));
    }
  }
}
