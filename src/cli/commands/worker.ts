import { defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { MODEL_OPTION, openModel, PRECISION_OPTION, requireModel, warnAbout } from "../model.ts";
import { Progress } from "../progress.ts";
import { countOf, placeOf, QUEUE_OPTIONS, RESULTS_OPTION, requireResults } from "../queue.ts";
import { onStop } from "../signals.ts";
import { stderrSurface } from "../status-line.ts";
import { complain } from "../terminal.ts";

const GRACE_S_DEFAULT = 20;

export const worker = defineCommand({
  name: "worker",
  summary: "embed the texts of a queue",
  usage: "-m MODEL -o PLACE [options]",
  options: {
    ...MODEL_OPTION,
    ...RESULTS_OPTION,
    ...QUEUE_OPTIONS,
    threads: { type: "count", value: "N", help: "worker threads (default: the usable cores)" },
    ...PRECISION_OPTION,
    batches: { type: "count", value: "N", help: "batches at once (default: 3)" },
    lock: {
      type: "count",
      value: "S",
      help: "seconds until a killed worker's batches go to others (default: 30)",
    },
    grace: { type: "count", value: "S", help: "seconds to finish after SIGTERM (default: 20)" },
  },
  details: `
Places:
  jsonl:FOLDER    a file of lines for each batch; \`ggufembed queue collect\` makes one of them
  parquet:FOLDER  a Parquet file for each batch
  sqlite:FILE     a table of sqlite-vec, embeddings
  postgres://…    a table of pgvector, embeddings or that of ?table=NAME

A batch is done once its results are written and would survive a power cut. SIGTERM and SIGINT
finish the batches that are under way; after --grace seconds, or at the second signal, they go back
into the queue. A worker that is killed loses nothing: others do what it had. All workers of a queue
must have the same model.`,
  async run({ values, positionals }) {
    if (positionals.length > 0) throw new UsageError("takes no arguments; texts come by `enqueue`");
    const source = requireModel(values.model);
    const results = requireResults(values.output);
    await using model = await openModel(source, {
      threads: values.threads,
      precision: values.precision as "default" | "high" | undefined,
    });
    warnAbout(model.config.warnings);
    const { startWorker } = await import("../../queue/index.ts");
    const progress = new Progress(undefined, stderrSurface(false));
    const running = await startWorker({
      ...placeOf(values),
      model,
      results,
      batches: values.batches,
      lockMs: values.lock === undefined ? undefined : values.lock * 1000,
      onProgress: ({ texts, tokens }) => progress.update({ done: 0, texts, tokens }),
      onProblem: complain,
    });
    complain("ready");
    let isLate = false;
    const giveUp = () => {
      isLate = true;
      void running.close({ giveBack: true });
    };
    let isStopping = false;
    onStop(() => {
      if (isStopping) return giveUp();
      isStopping = true;
      void running.close();
      setTimeout(giveUp, (values.grace ?? GRACE_S_DEFAULT) * 1000).unref();
    });
    try {
      await running.ended;
    } finally {
      progress.clear();
    }
    const { texts } = running.report;
    complain(`${countOf(texts)} done`);
    if (isLate) throw new Failure("what was not finished in time is back in the queue");
  },
});
