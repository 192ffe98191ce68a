/** The tables of a report, in Markdown. */
import { formatTable } from "../markdown.ts";
import { LANGUAGES, type Language } from "./data.ts";
import {
  type Compared,
  type Estimate,
  GROUPS,
  type Group,
  METRICS,
  type Metric,
  nameOf,
  type SettingFigures,
} from "./figures.ts";
import type { Setting } from "./measure.ts";
import type { ModelReport, Report } from "./report.ts";

export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
  ndcg: "nDCG@10",
  spearman: "Spearman",
};

export const GROUP_NAMES: Readonly<Record<Group, string>> = {
  english: "English",
  all: "each language",
  across: "across languages",
};

export function formatReport(report: Report): string {
  return [
    formatConditions(report),
    "### Weight formats\n",
    "All components, float32. In brackets the 95 % intervals of the bootstrap.\n",
    ...METRICS.map((metric) => formatModels(report, metric)),
    ...formatDifferences(report),
    "### Encodings and dimensions\n",
    ...formatSettings(report),
    "### Languages\n",
    ...formatLanguages(report),
  ].join("\n");
}

function formatConditions(report: Report): string {
  const { set, passages, queries, pairs, languages, resamples, seed, models } = report;
  const [first] = models;
  const files = models.map(({ file }) => `\`${file}\``).join(", ");
  const tasks = Object.entries(first?.tasks ?? {}).map(([end, task]) => `${end} \`${task}\``);
  const lines = [
    `${first?.name}: ${files}`,
    `tasks: ${tasks.join(", ")}`,
    `${passages} passages, ${queries} queries and ${pairs} pairs, digest \`${set}\``,
    `languages: ${languages.join(", ")}`,
    `${resamples} resamples, seed ${seed}`,
  ];
  return lines.map((line) => `- ${line}\n`).join("");
}

/** Those that are there. */
export function groupsIn({ models }: Report): Group[] {
  return GROUPS.filter((group) => models[0]?.settings[0]?.groups[group] !== undefined);
}

export function fullOf({ settings }: ModelReport): SettingFigures {
  return settings[0]!;
}

function formatModels(report: Report, metric: Metric): string {
  const groups = groupsIn(report);
  return formatTable(
    [METRIC_NAMES[metric], "MB", ...groups.map((group) => GROUP_NAMES[group])],
    report.models.map((model) => [
      model.label,
      (model.bytes / 1e6).toFixed(1),
      ...groups.map((group) => formatEstimate(fullOf(model).groups[group]?.[metric])),
    ]),
  );
}

function formatDifferences(report: Report): string[] {
  const [first, ...rest] = report.models;
  if (first === undefined || rest.length === 0) return [];
  const groups = groupsIn(report);
  const head = METRICS.flatMap((metric) =>
    groups.map((group) => `${METRIC_NAMES[metric]} ${GROUP_NAMES[group]}`),
  );
  const rows = rest.map((model) => [
    model.label,
    ...METRICS.flatMap((metric) =>
      groups.map((group) => formatDifference(fullOf(model).groups[group]?.[metric])),
    ),
  ]);
  const beside = `Differences from ${first.label}, on the same resamples.`;
  return [`${beside} A star: the interval does not hold 0.\n`, formatTable(["", ...head], rows)];
}

/** Every setting of the first model with its differences, then those of all models in English. */
function formatSettings(report: Report): string[] {
  const [first] = report.models;
  if (first === undefined) return [];
  const [group] = groupsIn(report);
  if (group === undefined) return [];
  const own = formatTable(
    [first.label, "bytes", ...METRICS.flatMap((metric) => [METRIC_NAMES[metric], "difference"])],
    first.settings.map((setting) => [
      nameOfSetting(setting),
      String(bytesOf(setting)),
      ...METRICS.flatMap((metric) => {
        const found = setting.groups[group]?.[metric];
        return [formatFigure(found?.value), formatDifference(found)];
      }),
    ]),
  );
  const all = METRICS.map((metric) =>
    formatTable(
      [METRIC_NAMES[metric], ...first.settings.map(nameOfSetting)],
      report.models.map(({ label, settings }) => [
        label,
        ...settings.map(({ groups }) => formatFigure(groups[group]?.[metric].value)),
      ]),
    ),
  );
  return [
    `${GROUP_NAMES[group]}; differences from all components in float32; bytes of a vector.\n`,
    own,
    ...(report.models.length === 1 ? [] : all),
  ];
}

function formatLanguages(report: Report): string[] {
  const languages = LANGUAGES.filter((language) => report.languages.includes(language));
  const value = (model: ModelReport, metric: Metric, from: Language, to: Language) =>
    fullOf(model).tasks[metric][nameOf({ from, to })];
  const alone = METRICS.map((metric) =>
    formatTable(
      [METRIC_NAMES[metric], ...languages],
      report.models.map((model) => [
        model.label,
        ...languages.map((language) => formatFigure(value(model, metric, language, language))),
      ]),
    ),
  );
  const [first] = report.models;
  const others = languages.filter((language) => language !== "en");
  if (first === undefined || others.length === languages.length || others.length === 0) {
    return ["Each in itself.\n", ...alone];
  }
  const rows = METRICS.flatMap((metric) => [
    [
      `${METRIC_NAMES[metric]}, to English`,
      ...others.map((other) => formatFigure(value(first, metric, other, "en"))),
    ],
    [
      `${METRIC_NAMES[metric]}, from English`,
      ...others.map((other) => formatFigure(value(first, metric, "en", other))),
    ],
  ]);
  const across = formatTable([first.label, ...others], rows);
  return ["Each in itself, and with English.\n", ...alone, across];
}

export function nameOfSetting({ dimensions, encoding }: Setting): string {
  return `${dimensions} ${encoding}`;
}

function bytesOf({ dimensions, encoding }: Setting): number {
  return { float32: 4, int8: 1, binary: 1 / 8 }[encoding] * dimensions;
}

function formatFigure(value: number | undefined): string {
  return value?.toFixed(3).replace("-", "−") ?? "–";
}

function formatEstimate(found: Estimate | undefined): string {
  if (found === undefined) return "–";
  const [value, low, high] = [found.value, found.low, found.high].map(formatFigure);
  return `${value} [${low}, ${high}]`;
}

function formatDifference(found: Compared | undefined): string {
  if (found === undefined) return "–";
  const { value, low, high } = found.difference;
  const star = low > 0 || high < 0 ? " \\*" : "";
  return `${signed(value)} [${signed(low)}, ${signed(high)}]${star}`;
}

/** With a sign, and none for what is shown as zero. */
function signed(value: number): string {
  const text = Math.abs(value).toFixed(4);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}
