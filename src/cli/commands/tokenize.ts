import { openTokenizer } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { withDownloadBar } from "../download-bar.ts";
import { INPUT_OPTIONS, openTexts } from "../input/texts.ts";
import { MODEL_OPTION, requireModel } from "../model.ts";
import { printOut } from "../output/stdout.ts";

export const tokenize = defineCommand({
  name: "tokenize",
  summary: "print the token ids of texts, one JSON array a line",
  usage: "-m MODEL [--input FILE|-] [--jsonl] [TEXT…]",
  options: { ...MODEL_OPTION, ...INPUT_OPTIONS },
  details: `
Special tokens are included, as the model sees them. A file that holds only a vocabulary will do.
Without TEXT and --input, texts are read from standard input.`,
  async run({ values, positionals }) {
    const model = requireModel(values.model);
    const source = await openTexts(positionals, values);
    const tokenizer = await withDownloadBar((options) => openTokenizer(model, options));
    for await (const { text } of source.texts) {
      const ids = [...tokenizer.prefix, ...tokenizer.encode(text), ...tokenizer.suffix];
      await printOut(`${JSON.stringify(ids)}\n`);
    }
  },
});
