import { basename } from "node:path";
import type { QueueStatus, QueueText } from "../../queue/index.ts";
import { defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { INPUT_OPTIONS, openTexts, type TextSource } from "../input/texts.ts";
import { countOf, placeOf, QUEUE_OPTIONS } from "../queue.ts";
import { bar, StatusLine, stderrSurface } from "../status-line.ts";
import { complain, stdinIsTerminal } from "../terminal.ts";

export const enqueue = defineCommand({
  name: "enqueue",
  summary: "put a file's texts into a queue, for workers to embed",
  usage: "[options] FILE",
  options: {
    ...QUEUE_OPTIONS,
    jsonl: {
      ...INPUT_OPTIONS.jsonl,
      help: 'lines are JSON, as those of *.jsonl; "id" names a text',
    },
    run: {
      type: "text",
      value: "NAME",
      help: "name of this input, a part of ids (default: the file's)",
    },
    task: {
      type: "text",
      value: "T",
      help: "add the model's prompt for task T (default: text verbatim)",
    },
    dimensions: { type: "count", value: "N", help: "keep the first N components (Matryoshka)" },
    truncate: {
      type: "choice",
      choices: ["error", "end", "start"],
      help: "what a text beyond the model's context loses (default: error)",
    },
    "waiting-max": {
      type: "count",
      value: "N",
      help: "batches that may wait in Redis (default: 512)",
    },
    wait: { type: "flag", help: "end when workers have done all that is in the queue" },
  },
  details: `
FILE has a text a line; - is standard input. A text's id is the "id" of its JSON object, or
NAME:LINE.
Texts go into Redis in batches of at most 128, and no faster than workers take them out, so a file
may be larger than Redis. Run it again after an interruption: nothing is done twice.
A text that the model refuses fails alone; see \`ggufembed queue failed\`.`,
  async run({ values, positionals }) {
    const file = onlyFile(positionals);
    const jsonl = values.jsonl || /\.(jsonl|ndjson)$/.test(file);
    const source = await openTexts([], { input: file, jsonl });
    const run = values.run ?? (file === "-" ? "stdin" : basename(file));
    const { enqueue: put, queueDone } = await import("../../queue/index.ts");
    const place = placeOf(values);
    const reading = new Reading(source, run);
    const { texts, batches, known } = await reading.through((onProgress) =>
      put(reading.texts(), {
        ...place,
        run,
        task: values.task ?? null,
        dimensions: values.dimensions ?? null,
        truncate: values.truncate as "error" | "end" | "start" | undefined,
        waitingMax: values["waiting-max"],
        onProgress,
      }),
    );
    const old = known === 0 ? "" : `, ${known} of them known`;
    complain(
      `${countOf(texts)} in ${countOf(batches, "batch").replace("batchs", "batches")}${old}`,
    );
    if (values.wait) await waitForAll((onProgress) => queueDone({ ...place, onProgress }));
  },
});

function onlyFile(positionals: readonly string[]): string {
  const [file, ...more] = positionals;
  if (more.length > 0) throw new UsageError(`takes one FILE, found ${positionals.length}`);
  if (file !== undefined) return file;
  if (stdinIsTerminal()) throw new UsageError("which texts? give FILE, or pipe them in");
  return "-";
}

/** An input on its way, and the line that tells of it. */
class Reading {
  readonly #source: TextSource;
  readonly #run: string;
  #end = 0;

  constructor(source: TextSource, run: string) {
    this.#source = source;
    this.#run = run;
  }

  async *texts(): AsyncGenerator<QueueText> {
    for await (const { text, fields, where, end } of this.#source.texts) {
      const { id, ...others } = fields;
      yield { text, id: idOf(id, where, this.#run), fields: others };
      this.#end = end;
    }
  }

  async through<T>(
    work: (tell: (state: { texts: number; isWaiting: boolean }) => void) => Promise<T>,
  ): Promise<T> {
    const { size } = this.#source;
    const line = new StatusLine<{ texts: number; isWaiting: boolean }>(({ texts, isWaiting }) => {
      const told = `${countOf(texts)}${isWaiting ? ", waiting for workers" : ""}`;
      return size === undefined ? told : `${bar(Math.min(1, this.#end / size))} ${told}`;
    }, stderrSurface(false));
    try {
      return await work((state) => line.update(state));
    } finally {
      line.clear();
    }
  }
}

/** The id of a text: its own, or its line's. */
function idOf(id: unknown, where: string, run: string): string {
  if (id === undefined) return `${run}:${where.slice(where.lastIndexOf(":") + 1)}`;
  if (typeof id === "string" && id !== "") return id;
  if (typeof id === "number" || JSON.isRawJSON(id)) return JSON.stringify(id);
  throw new Failure(`${where}: "id" must be a string or a number`);
}

async function waitForAll(
  wait: (onProgress: (status: QueueStatus) => void) => Promise<QueueStatus>,
): Promise<void> {
  const line = new StatusLine<QueueStatus>(({ texts, done, failed, waiting }) => {
    const failures = failed === 0 ? "" : `, ${failed} failed`;
    return `${bar(texts === 0 ? 1 : (done + failed) / texts)} ${countOf(waiting)} left${failures}`;
  }, stderrSurface(false));
  let status: QueueStatus;
  try {
    status = await wait((state) => line.update(state));
  } finally {
    line.clear();
  }
  complain(`${countOf(status.done)} done`);
  if (status.failed === 0) return;
  throw new Failure(`${countOf(status.failed)} failed: see \`ggufembed queue failed\``);
}
