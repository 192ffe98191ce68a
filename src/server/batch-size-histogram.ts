import { Histogram, type Registry } from "prom-client";
import type { EmbedderStats } from "../index.ts";

const NAME = "embedding_batch_size";
const HELP = "Texts of a batch.";

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A histogram of what models have counted by size themselves: prom-client's own knows only what it
 * was told one by one.
 */
export class BatchSizeHistogram extends Histogram<"model"> {
  #samples: Sample[] = [];

  constructor(registry: Registry) {
    super({ name: NAME, help: HELP, labelNames: ["model"], registers: [registry] });
  }

  clear(): void {
    this.#samples = [];
  }

  add(model: string, { batchSizes, done }: EmbedderStats): void {
    let batches = 0;
    for (const size of batchSizes) {
      batches += size.batches;
      const le = Number.isFinite(size.textsMax) ? size.textsMax : "+Inf";
      this.#add("bucket", { model, le }, batches);
    }
    this.#add("sum", { model }, done.texts);
    this.#add("count", { model }, done.batches);
  }

  /** What the registry writes, in place of what prom-client has counted. */
  async getForPromString() {
    return { name: NAME, help: HELP, type: "histogram", values: this.#samples };
  }

  #add(suffix: string, labels: Sample["labels"], value: number): void {
    this.#samples.push({ metricName: `${NAME}_${suffix}`, labels, value });
  }
}
