import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../docs/markdown.ts";

export const RULES = join(ROOT, "deploy", "prometheus", "ggufembed.rules.yml");
export const PROMETHEUS = join(ROOT, "deploy", "prometheus", "prometheus.yml");
export const ALERTMANAGER = join(ROOT, "deploy", "prometheus", "alertmanager.yml");

const NAMES = ["promtool", "prometheus", "amtool", "prometheus-alertmanager"];
const missing = NAMES.filter((name) => Bun.which(name) === null);
/** Prometheus and Alertmanager, as Debian packages them. */
export const hasPrometheus = missing.length === 0;
/** For a test's name. */
export const skipped = hasPrometheus ? "" : ` (skipped: no ${missing.join(", ")} on the PATH)`;

export function readYaml<T>(path: string): T {
  return Bun.YAML.parse(readFileSync(path, "utf8")) as T;
}

/** What a tool says, and whether it is content. */
export function runTool(command: string[], stdin = ""): { ok: boolean; output: string } {
  const finished = Bun.spawnSync(command, { stdin: new TextEncoder().encode(stdin) });
  const output = finished.stdout.toString() + finished.stderr.toString();
  return { ok: finished.exitCode === 0, output };
}
