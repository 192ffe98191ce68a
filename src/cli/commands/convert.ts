import { convert as convertModel } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { warnAbout } from "../model.ts";
import { printOut } from "../output/stdout.ts";
import { requireWeightType, WEIGHT_TYPES, weightOptions } from "../weight-types.ts";
import { withWriteBar } from "../write-bar.ts";

export const convert = defineCommand({
  name: "convert",
  summary: "make a model file of a folder from the Hugging Face hub",
  usage: "DIR OUT.gguf [--type T] [--name NAME]",
  options: {
    ...weightOptions,
    type: { ...weightOptions.type, help: `${weightOptions.type.help} (default: Q8_0)` },
    name: {
      type: "text",
      value: "NAME",
      help: "what the file calls the model (default: the folder's name)",
    },
  },
  details: `
DIR is a model of sentence-transformers or Hugging Face transformers: config.json, the weights in
model.safetensors or in shards with model.safetensors.index.json, and tokenizer.json, vocab.txt or
a SentencePiece model. modules.json says how it pools and which dense layers follow, and
config_sentence_transformers.json has its prompts. Models are BERT (MiniLM, bge, e5, gte, mxbai),
XLM-RoBERTa (bge-m3, multilingual-e5), EmbeddingGemma, Qwen3-Embedding and nomic-embed-text.

${WEIGHT_TYPES}

Norms, biases and small tables are F32. OUT.gguf is there once it is complete, and its path is
printed; llama.cpp reads it, too.`,
  async run({ values, positionals }) {
    const [directory, output, ...more] = positionals;
    if (directory === undefined || output === undefined || more.length > 0) {
      throw new UsageError(`takes DIR and OUT.gguf, found ${positionals.length} arguments`);
    }
    const { name, pure, threads } = values;
    const type = requireWeightType(values.type);
    const { path, warnings } = await withWriteBar("converting", (progress) =>
      convertModel(directory, output, { type, pure, name, threads, ...progress }),
    );
    warnAbout(warnings);
    await printOut(`${path}\n`);
  },
});
