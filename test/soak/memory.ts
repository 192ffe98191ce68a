import { open } from "../../src/index.ts";
import { soakTexts } from "./calls.ts";
import { residentMegabytes, type Size, type Soak } from "./figure.ts";
import { soakModel } from "./model.ts";

const TEXTS_A_CALL = 50;

/** Many texts through one model: memory must not grow with them. */
export async function memory(size: Size): Promise<Soak> {
  await using model = await open(await soakModel(size));
  const texts = soakTexts();
  const embed = async (count: number) => {
    for (let done = 0; done < count; done += TEXTS_A_CALL) {
      const begin = done % (texts.length - TEXTS_A_CALL);
      await model.embed(texts.slice(begin, begin + TEXTS_A_CALL));
    }
  };
  const [few, many] = size === "full" ? [1000, 100_000] : [200, 400];
  await embed(few);
  const before = residentMegabytes();
  await embed(many - few);
  const after = residentMegabytes();
  return {
    title: `${many.toLocaleString("en-US")} texts through one model`,
    figures: [
      { what: `resident memory after ${few.toLocaleString("en-US")}`, value: before, unit: "MB" },
      { what: "after all", value: after, unit: "MB", max: before * 1.05 },
    ],
  };
}
