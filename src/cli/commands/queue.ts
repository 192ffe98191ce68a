import type { QueueStatus } from "../../queue/index.ts";
import { columns, defineCommand } from "../command.ts";
import { UsageError } from "../errors.ts";
import { openSink } from "../output/open.ts";
import { printOut } from "../output/stdout.ts";
import { countOf, placeOf, QUEUE_OPTIONS } from "../queue.ts";
import { didYouMean } from "../suggest.ts";
import { complain } from "../terminal.ts";

const ACTIONS = ["status", "failed", "retry", "collect", "clear"] as const;
type Action = (typeof ACTIONS)[number];

export const queue = defineCommand({
  name: "queue",
  summary: "see how far a queue is, and what failed",
  usage: "ACTION [options]",
  options: {
    ...QUEUE_OPTIONS,
    json: { type: "flag", help: "status as JSON" },
    truncate: {
      type: "choice",
      choices: ["error", "end", "start"],
      help: "with retry: what texts that are too long lose (default: as before)",
    },
    output: {
      type: "text",
      short: "o",
      value: "FILE",
      help: "with collect: write to FILE; - is standard output",
    },
  },
  details: `
Actions:
  status          texts done, failed and waiting; the model, and by what settings
  failed          the batches that were given up, a line of JSON each: ids, reason, attempts
  retry           put what failed back into the queue
  collect FOLDER  the results of a jsonl:FOLDER in one file, each id once, in the input's order
  clear           forget the queue, what waits and what failed; stop its workers first`,
  async run({ values, positionals }) {
    const [name = "", ...rest] = positionals;
    const action = ACTIONS.find((each) => each === name);
    if (action === undefined) throw new UsageError(whichAction(name));
    const takes = action === "collect" ? 1 : 0;
    if (rest.length !== takes) {
      throw new UsageError(
        takes === 1 ? "collect takes one FOLDER" : `${action} takes no arguments`,
      );
    }
    const { redis, queue: queueName } = placeOf(values);
    const place = { redis, queue: queueName };
    await DO[action]({ ...values, place, folder: rest[0] ?? "" });
  },
});

function whichAction(name: string): string {
  const list = ACTIONS.join(", ");
  return name === ""
    ? `which action? give one of ${list}`
    : `unknown action '${name}'; give one of ${list}${didYouMean(name, ACTIONS)}`;
}

interface Wanted {
  readonly place: { readonly redis: string | undefined; readonly queue: string | undefined };
  readonly json: boolean;
  readonly truncate: string | undefined;
  readonly output: string | undefined;
  readonly folder: string;
}

const library = () => import("../../queue/index.ts");

const DO: Readonly<Record<Action, (wanted: Wanted) => Promise<void>>> = {
  async status({ place, json }) {
    const status = await (await library()).queueStatus(place);
    await printOut(json ? `${JSON.stringify(status)}\n` : render(status));
  },

  async failed({ place }) {
    for await (const batch of (await library()).failedTexts(place)) {
      await printOut(`${JSON.stringify(batch)}\n`);
    }
  },

  async retry({ place, truncate }) {
    const texts = await (await library()).retryFailed({
      ...place,
      truncate: truncate as "error" | "end" | "start" | undefined,
    });
    complain(`${countOf(texts)} back in the queue`);
  },

  async collect({ folder, output }) {
    const { collectResults } = await library();
    const sink = openSink(output);
    const encoder = new TextEncoder();
    for await (const lines of collectResults(folder)) await sink.write(encoder.encode(lines));
    sink.commit();
  },

  async clear({ place }) {
    await (await library()).clearQueue(place);
    complain("the queue is forgotten");
  },
};

function render(status: QueueStatus): string {
  const { texts, done, failed, waiting, active, delayed, tokens } = status;
  const { model, fingerprint, task, dimensions } = status;
  const number = (count: number) => count.toLocaleString("en-US");
  return columns([
    ["texts", number(texts)],
    ["done", `${number(done)} (${number(tokens)} tokens)`],
    ["failed", number(failed)],
    ["waiting", number(waiting)],
    ["batches", `${number(active)} under way, ${number(delayed)} to be tried again`],
    ["model", model === undefined ? "none yet" : `${model} (${fingerprint})`],
    ["task", task ?? "none"],
    ["dimensions", dimensions === null ? "all" : String(dimensions)],
  ]);
}
