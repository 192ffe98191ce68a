import assert from "node:assert/strict";
import { type Embedder, type EmbedOptions, type EmbedResult, GgufEmbedError } from "../../index.ts";
import { defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { INPUT_OPTIONS, type InputText, openTexts, type TextSource } from "../input/texts.ts";
import { MODEL_OPTION, openModel, PRECISION_OPTION, requireModel, warnAbout } from "../model.ts";
import { createFormat, FORMAT_NAMES, isBinary, OWN_FIELDS, type Shape } from "../output/formats.ts";
import { openSink } from "../output/open.ts";
import { stdoutSink } from "../output/stdout.ts";
import { RowWriter } from "../output/writer.ts";
import { Progress } from "../progress.ts";
import { stderrSurface } from "../status-line.ts";
import { complain, stdoutIsTerminal } from "../terminal.ts";

export const embed = defineCommand({
  name: "embed",
  summary: "turn texts into embeddings",
  usage: "-m MODEL [options] [TEXT…]",
  options: {
    ...MODEL_OPTION,
    ...INPUT_OPTIONS,
    format: {
      type: "choice",
      choices: FORMAT_NAMES,
      help: "output format (default: jsonl)",
    },
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      help: "write to FILE, there once it is complete; - is standard output",
    },
    task: {
      type: "text",
      value: "T",
      help: "add the model's prompt for task T (default: text verbatim)",
    },
    title: { type: "text", value: "S", help: "title of the documents, for prompts with a title" },
    dimensions: {
      type: "count",
      value: "N",
      help: "keep the first N components (Matryoshka)",
    },
    ...PRECISION_OPTION,
    threads: {
      type: "count",
      value: "N",
      help: "worker threads (default: the cores this process may use)",
    },
    truncate: {
      type: "choice",
      choices: ["error", "end", "start"],
      help: "what a text beyond the model's context loses (default: error)",
    },
    "no-normalize": { type: "flag", help: "leave the length of the vectors as it is" },
  },
  details: `
Without TEXT and --input, texts are read from standard input, one a line.

Formats:
  jsonl  {"index","tokens","embedding"} a line, as soon as it is ready; with "truncated", the
         number of tokens cut off, where there are any; with the other fields of --jsonl
  json   the same objects in one array
  npy    a NumPy array of float32, [texts, dimensions]; on a pipe it is held in memory until the
         last text, because its header counts the rows: prefer --output
  f32    the vectors alone, one after another, little-endian float32`,
  async run({ values, positionals }) {
    const model = requireModel(values.model);
    const format = values.format ?? "jsonl";
    if (isBinary(format) && values.output === undefined && stdoutIsTerminal()) {
      throw new UsageError(
        `--format ${format} is not for terminals: give --output FILE, or a pipe`,
      );
    }
    const source = await openTexts(positionals, values);
    const sink = openSink(values.output);
    await using embedder = await openModel(model, {
      threads: values.threads,
      precision: values.precision,
    });
    warnAbout(embedder.config.warnings);
    const options: EmbedOptions = {
      task: values.task,
      title: values.title,
      dimensions: values.dimensions,
      truncate: values.truncate,
      normalize: values["no-normalize"] ? false : undefined,
    };
    const shape = shapeOf(embedder, values.dimensions);
    const writer = new RowWriter(createFormat(format, shape), sink);
    const progress = new Progress(source.size, stderrSurface(sink === stdoutSink));
    await embedAll(embedder, source, options, writer, progress);
    await writer.finish();
  },
});

function shapeOf(embedder: Embedder, dimensions: number | undefined): Shape {
  const { pooling, hiddenSize, embeddingSize } = embedder.config;
  const perToken = pooling === "none";
  return { perToken, dimensions: dimensions ?? (perToken ? hiddenSize : embeddingSize) };
}

/** Input to output, text by text: memory does not grow with the input. */
async function embedAll(
  embedder: Embedder,
  source: TextSource,
  options: EmbedOptions,
  writer: RowWriter,
  progress: Progress,
): Promise<void> {
  // Texts that are read and whose result is not yet here: results come in the order of the input.
  const pending: InputText[] = [];
  async function* texts(): AsyncGenerator<string> {
    for await (const input of source.texts) {
      pending.push(input);
      yield input.text;
    }
  }
  const notes = new Notes();
  let tokens = 0;
  try {
    for await (const result of embedder.stream(texts(), options)) {
      const input = pending.shift();
      assert(input !== undefined, "a result answers a text");
      notes.take(input, result);
      tokens += result.tokens;
      await writer.row({ ...result, fields: otherFields(input.fields) });
      progress.update({ done: input.end, texts: result.index + 1, tokens });
    }
  } catch (error) {
    if (!(error instanceof GgufEmbedError) || error.index === undefined) throw error;
    const input = pending[error.index - notes.texts];
    assert(input !== undefined, "the text at fault has no result yet");
    throw inPlace(error, input.where);
  } finally {
    progress.clear();
  }
  notes.tell(embedder.config.contextLength);
}

/** An error of one text with that text's place in the input for its subject. */
function inPlace(error: GgufEmbedError, where: string): Failure {
  const complaint = error.message.replace(`text ${error.index} `, "");
  const option = error.code === "INPUT_TOO_LONG" ? " (--truncate)" : "";
  return new Failure(`${where} ${complaint}${option}`, { cause: error });
}

/** What passes through from the input: the output's own fields win. */
function otherFields(fields: InputText["fields"]): InputText["fields"] {
  if (!Object.keys(fields).some((name) => OWN_FIELDS.has(name))) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !OWN_FIELDS.has(name)));
}

/** What a person should know at the end: nothing is cut or replaced in silence. */
class Notes {
  texts = 0;
  #truncated = 0;
  #firstTruncated = "";
  #replaced = new Set<string>();

  take(input: InputText, result: EmbedResult): void {
    this.texts++;
    for (const name of Object.keys(input.fields)) {
      if (OWN_FIELDS.has(name)) this.#replaced.add(name);
    }
    if (result.truncated === 0) return;
    if (this.#truncated === 0) this.#firstTruncated = input.where;
    this.#truncated++;
  }

  tell(contextLength: number): void {
    if (this.#truncated > 0) {
      const count = `${this.#truncated} of ${this.texts} texts`;
      const first = `the first is ${this.#firstTruncated}`;
      complain(`warning: ${count} cut to the model's ${contextLength} tokens; ${first}`);
    }
    if (this.#replaced.size > 0) {
      const names = [...this.#replaced].map((name) => `"${name}"`).join(", ");
      complain(`warning: the output has its own ${names}: those of the input are left out`);
    }
  }
}
