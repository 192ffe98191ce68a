/** What a person reads of a comparison. */
import type { CaseResult, Entry, Ratio } from "./results.ts";

/** A case in a few lines: a participant each. */
export function formatCase(result: CaseResult): string {
  const lines = result.entries.map((entry) => {
    const ratio = result.comparisons.find(({ peer }) => peer === entry.name);
    const name = entry.name.padEnd(22);
    return `  ${name} ${formatEntry(result, entry)}${formatRatio(ratio)} (${entry.settings})`;
  });
  const { evenness } = result;
  if (evenness) {
    const [ours, control] = [evenness.p99OverP50, evenness.control].map((x) => x.toFixed(3));
    lines.push(`  p99/p50 ${ours}, of the control ${control}: ${evenness.ratio.toFixed(3)} times`);
  }
  return lines.join("\n");
}

function formatEntry({ kind, tokens }: CaseResult, { spread, p99, wholeProcess }: Entry): string {
  const { median, p10, p90 } = spread;
  if (kind === "memory") return `${(median / 1e6).toFixed(1)} MB`;
  const span = `${ms(p10)}-${ms(p90)}`;
  if (kind === "batch")
    return `${(tokens / median).toFixed(0)} tokens/s, ${ms(median)} ms (${span})`;
  if (kind === "single") return `p50 ${ms(median)}, p90 ${ms(p90)}, p99 ${ms(p99)} ms`;
  return `${ms(median)} ms (${span}), whole process ${ms(wholeProcess!.median)} ms`;
}

function formatRatio(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  const { median, min, max, bar } = ratio;
  const asked = bar === undefined ? "" : `, asked ${bar}`;
  return `, ${median.toFixed(2)}x [${min.toFixed(2)}-${max.toFixed(2)}${asked}]`;
}

function ms(seconds: number): string {
  return (seconds * 1e3).toFixed(2);
}
