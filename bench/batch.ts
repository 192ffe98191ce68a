import type { Case, Setting } from "./harness.ts";
import { embedCase, openEach, textsOf, USUAL } from "./models.ts";

const COUNTS = { full: [1, 2, 4, 8, 16, 32, 64, 128], tiny: [1, 8] };

/** From one text to many in a call. */
export async function* batch(setting: Setting): AsyncGenerator<Case> {
  for await (const embedder of openEach(setting)) {
    const texts = textsOf(embedder, Math.max(...COUNTS[setting.size]), USUAL, setting);
    for (const count of COUNTS[setting.size]) {
      yield await embedCase(embedder, texts.slice(0, count));
    }
  }
}
