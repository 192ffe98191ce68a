import { UsageError } from "./errors.ts";

/** Names Redis and where results go, for commands that are not told: passwords belong there. */
const REDIS_VARIABLE = "GGUFEMBED_REDIS";
const RESULTS_VARIABLE = "GGUFEMBED_RESULTS";

/** The options of every command that has to do with a queue. */
export const QUEUE_OPTIONS = {
  redis: {
    type: "text",
    value: "URL",
    help: `Redis or its socket (default: $${REDIS_VARIABLE}, or this machine's)`,
  },
  queue: { type: "text", value: "NAME", help: "the queue's name (default: default)" },
} as const;

export const RESULTS_OPTION = {
  output: {
    type: "text",
    short: "o",
    value: "PLACE",
    help: `where vectors go, see below (default: $${RESULTS_VARIABLE})`,
  },
} as const;

interface QueueValues {
  readonly redis: string | undefined;
  readonly queue: string | undefined;
}

/** As the library takes it. */
export function placeOf({ redis, queue }: QueueValues): QueueValues {
  return { redis: redis ?? (process.env[REDIS_VARIABLE] || undefined), queue };
}

/** The place of `-o`, or of the environment. */
export function requireResults(output: string | undefined): string {
  const found = output ?? process.env[RESULTS_VARIABLE];
  if (found !== undefined && found !== "") return found;
  throw new UsageError(
    `where do vectors go? give -o jsonl:FOLDER or another place, or set ${RESULTS_VARIABLE}`,
  );
}

/** `1,234 texts` */
export function countOf(count: number, noun = "text"): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? noun : `${noun}s`}`;
}
