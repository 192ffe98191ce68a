import type { Case, Setting } from "./harness.ts";
import { embedCase, openEach, SHORT, textsOf, threadCount, USUAL } from "./models.ts";

/** One text a call: what a user waits for. */
export async function* single(setting: Setting): AsyncGenerator<Case> {
  for (const threads of setting.size === "tiny" ? [1] : [1, 2]) {
    for await (const embedder of openEach(setting, { threads })) {
      for (const tokens of [SHORT, USUAL]) {
        const texts = textsOf(embedder, 1, tokens, setting);
        const waited = await embedCase(embedder, texts, threadCount(threads));
        yield waited;
        const name = `${waited.name}, blocking`;
        yield { ...waited, name, run: () => embedder.embedSync(texts) };
      }
    }
  }
}
