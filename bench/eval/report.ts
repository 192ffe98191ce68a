import { basename } from "node:path";
import { UsageError } from "../../src/cli/errors.ts";
import { inspect, open } from "../../src/index.ts";
import { Bootstrap, figuresOf, type SettingFigures } from "./figures.ts";
import { labelsOf } from "./labels.ts";
import { measureModel, type Scope } from "./measure.ts";
import { type ModelTasks, tasksOf } from "./vectors.ts";

export interface ModelReport {
  /** Short, and unlike those of the others. */
  readonly label: string;
  readonly name: string;
  readonly file: string;
  /** Length of the file. */
  readonly bytes: number;
  readonly tasks: ModelTasks;
  /** All components in float32 first, which the others are compared with. */
  readonly settings: readonly SettingFigures[];
}

export interface Report {
  /** Of the texts. */
  readonly set: string;
  readonly passages: number;
  readonly queries: number;
  readonly pairs: number;
  readonly languages: Scope["languages"];
  readonly resamples: number;
  readonly seed: number;
  /** The first is what the others are compared with. */
  readonly models: readonly ModelReport[];
}

export interface ReportOptions extends Scope {
  readonly resamples: number;
  readonly seed: number;
  readonly threads: number | undefined;
  /** Whether models with made-up weights may run, for tests. */
  readonly allowsMadeUp?: boolean;
}

/** Opens the models one after another. Throws `UsageError` for one whose weights are made up. */
export async function makeReport(
  sources: readonly string[],
  options: ReportOptions,
  log: (line: string) => void,
): Promise<Report> {
  const { set, resamples, seed, languages } = options;
  const bootstrap = new Bootstrap(set, resamples, seed);
  const models: ModelReport[] = [];
  let base: ReturnType<Bootstrap["sample"]> | undefined;
  for (const source of sources) {
    await using model = await open(source, { threads: options.threads });
    const { name, weightType, embeddingSize } = model.config;
    if (isMadeUp(name) && options.allowsMadeUp !== true) {
      throw new UsageError(`the weights of '${name}' are made up: its figures would mean nothing`);
    }
    log(`${source}: ${embeddingSize} dimensions, ${weightType}`);
    const settings: SettingFigures[] = [];
    let own: ReturnType<Bootstrap["sample"]> | undefined;
    for await (const result of measureModel(model, options)) {
      const sampled = bootstrap.sample(result.tasks);
      settings.push(figuresOf(result, sampled, own ?? base ?? sampled));
      own ??= sampled;
    }
    base ??= own;
    const { path, fileSize: bytes } = await inspect(source);
    const file = basename(path);
    models.push({ label: weightType, name, file, bytes, tasks: tasksOf(model), settings });
  }
  const { passages, queries, pairs } = set;
  return {
    set: set.digest,
    passages: passages.length,
    queries: queries.length,
    pairs: pairs.length,
    languages,
    resamples,
    seed,
    models: labelled(models),
  };
}

/** The formats, if they tell the models apart; else what differs in the names of their files. */
function labelled(models: readonly ModelReport[]): ModelReport[] {
  const isOfOne = models.every(({ name }) => name === models[0]?.name);
  const formats = models.map(({ label }) => label);
  const isClear = isOfOne && new Set(formats).size === formats.length;
  const labels = isClear ? formats : labelsOf(models.map(({ file }) => file));
  return models.map((model, index) => ({ ...model, label: labels[index]! }));
}

/** Models that this project makes for tests and benches say so in their names. */
function isMadeUp(name: string): boolean {
  return /\b(synthetic|synth|tiny)\b/i.test(name);
}
