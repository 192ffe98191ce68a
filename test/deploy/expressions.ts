import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../docs/markdown.ts";
import { RULES, readYaml } from "./tools.ts";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: Place;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
}

export interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly query: string | { readonly query: string };
    }[];
  };
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const FILE = join(ROOT, "deploy", "grafana", "ggufembed.json");
export const dashboard = JSON.parse(readFileSync(FILE, "utf8")) as Dashboard;
export const rules = readYaml<{ groups: { rules: Rule[] }[] }>(RULES).groups.flatMap(
  (group) => group.rules,
);

/** What a panel asks Prometheus, its variables replaced as Grafana does it. */
export const dashboardExpressions: readonly string[] = dashboard.panels.flatMap(
  ({ targets = [] }) =>
    targets.map(({ expr }) =>
      expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$(instance|model)\b/g, ".*"),
    ),
);

/** Names of the metrics that a PromQL expression reads. */
export function metricsOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, "")
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(by|on)\s*\([^)]*\)/g, " ");
  const names = bare.matchAll(/(?<![\w.])[a-z_:][\w:]*(?!\s*\(|[\w:])/gi);
  return [...new Set([...names].map(([name]) => name))].filter((name) => !WORDS.has(name));
}

const WORDS = new Set(["and", "or", "unless", "sum"]);
