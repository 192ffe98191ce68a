import { describe, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freshFolder } from "../fresh-folder.ts";
import { ALERTMANAGER, hasPrometheus, PROMETHEUS, RULES, runTool, skipped } from "./tools.ts";

const BUCKETS = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
const SEVERITIES = ["info", "warning", "critical"] as const;
const FOR_MINUTES = { info: 15, warning: 5, critical: 2 };
/** By then, whatever holds from the start has held for long enough. */
const END_MINUTE = 20;
const SERVER = { job: "ggufembed", instance: "a:8080" };
const MODEL = { ...SERVER, model: "tiny" };

type Labels = Readonly<Record<string, string>>;
type Series = readonly { readonly series: string; readonly values: string }[];

const metric = (name: string, labels: Labels) =>
  `${name}{${Object.entries(labels).map(([key, value]) => `${key}="${value}"`)}}`;
const counter = (name: string, labels: Labels, perMinute: number) => ({
  series: metric(name, labels),
  values: `0+${perMinute}x60`,
});

/** A thousand requests a minute whose quantile histogram_quantile takes to be `seconds`. */
function latency(quantile: number, seconds: number): Series {
  const i = BUCKETS.findIndex((bound) => seconds <= bound);
  const low = BUCKETS[i - 1] ?? 0;
  const share = (seconds - low) / (BUCKETS[i]! - low);
  // Of all requests, those up to the bucket's bounds: what is missing is below, or far above.
  const [below, within] =
    share >= quantile ? [0, quantile / share] : [(quantile - share) / (1 - share), 1];
  const upTo = (k: number) => 1000 * (k < i ? below : within);
  return [
    ...BUCKETS.map((bound, k) => ({ le: String(bound), perMinute: upTo(k) })),
    { le: "+Inf", perMinute: 1000 },
  ].map(({ le, perMinute }) =>
    counter("embedding_latency_seconds_bucket", { ...MODEL, le }, perMinute),
  );
}

function errors(ratio: number): Series {
  const requests = (route: string, status: string, perMinute: number) =>
    counter("embedding_requests_total", { ...SERVER, route, status }, perMinute);
  return [
    requests("/embed", "503", 10_000 * ratio),
    requests("/v1/embeddings", "200", 10_000 * (0.7 - ratio)),
    // These are no failures of the server; the last two say nothing of embedding.
    requests("/embed", "429", 2000),
    requests("/api/embed", "400", 1000),
    requests("/metrics", "200", 1e6),
    requests("/ready", "503", 1e6),
  ];
}

const memory = (bytes: number): Series => [
  { series: metric("process_resident_memory_bytes", SERVER), values: `${bytes}x60` },
  // Prometheus tells the same of itself.
  {
    series: metric("process_resident_memory_bytes", { ...SERVER, job: "prometheus" }),
    values: "9e9x60",
  },
];

interface Slo {
  readonly alert: string;
  readonly labels: Labels;
  /** In the order of `SEVERITIES`. */
  readonly thresholds: readonly [number, number, number];
  readonly series: (value: number) => Series;
}

const latencySlo = (name: string, quantile: number, ...thresholds: Slo["thresholds"]): Slo => ({
  alert: `GgufembedLatency${name}`,
  labels: { ...MODEL, quantile: String(quantile), slo: "latency" },
  thresholds,
  series: (seconds) => latency(quantile, seconds),
});

const SLOS: readonly Slo[] = [
  latencySlo("P50", 0.5, 0.02, 0.03, 0.05),
  latencySlo("P95", 0.95, 0.03, 0.05, 0.1),
  latencySlo("P99", 0.99, 0.04, 0.075, 0.15),
  {
    alert: "GgufembedErrors",
    labels: { ...SERVER, slo: "errors" },
    thresholds: [0, 0.001, 0.01],
    series: errors,
  },
  {
    alert: "GgufembedMemory",
    labels: { ...SERVER, slo: "memory" },
    thresholds: [500e6, 1e9, 2e9],
    series: memory,
  },
];

/** What of a server fires at a minute: no more, no less. */
function fires(minute: number, { alert, labels }: Slo, severities: readonly string[]) {
  const all = (severity: string) =>
    metric("ALERTS", { ...labels, alertname: alert, alertstate: "firing", severity });
  return {
    expr: metric("ALERTS", {
      instance: SERVER.instance,
      alertname: alert,
      alertstate: "firing",
    }),
    eval_time: `${minute}m`,
    exp_samples: severities.map((severity) => ({ labels: all(severity), value: 1 })),
  };
}

/** One of the servers of a test of promtool's, all of which run at the same time. */
interface Case {
  readonly input_series: Series;
  readonly promql_expr_test: readonly object[];
}

function serverTest(name: string, series: Series, tests: readonly object[]): Case {
  const made = { input_series: series, promql_expr_test: tests };
  return JSON.parse(JSON.stringify(made).replaceAll(SERVER.instance, name)) as Case;
}

const thresholdTests = SLOS.flatMap((slo) =>
  slo.thresholds.flatMap((threshold) => {
    // A threshold of nothing has nothing below it.
    const around = threshold === 0 ? [0, 1e-4] : [threshold * 0.99, threshold * 1.01];
    return around.map((value) => {
      const exceeded = SEVERITIES.filter((_, i) => value > slo.thresholds[i]!);
      return serverTest(`${slo.alert} ${value}`, slo.series(value), [
        fires(END_MINUTE, slo, exceeded),
      ]);
    });
  }),
);

/** What is far too much from the start fires in turn, the worst first. */
const waitTests = SLOS.map((slo) => {
  // A rate needs two samples.
  const start = slo.alert === "GgufembedMemory" ? 0 : 1;
  const at = (minute: number) =>
    fires(
      start + minute,
      slo,
      SEVERITIES.filter((severity) => minute >= FOR_MINUTES[severity]),
    );
  const minutes = Object.values(FOR_MINUTES).flatMap((minute) => [minute - 1, minute]);
  const much = slo.series(slo.thresholds[2] * 2);
  return serverTest(`${slo.alert} waits`, much, minutes.map(at));
});

const nothingFires = [
  {
    expr: metric("ALERTS", { instance: SERVER.instance, alertstate: "firing" }),
    eval_time: `${END_MINUTE}m`,
    exp_samples: [],
  },
];
const otherTests = [
  serverTest("no requests", [...latency(0.5, 0), ...errors(0)].map(still), nothingFires),
  serverTest("a failure alone", [...errors(0), oneFailure()], nothingFires),
  serverTest(
    "down",
    [{ series: metric("up", SERVER), values: "1x10 0x40" }],
    [
      fires(END_MINUTE, { ...SLOS[0]!, alert: "GgufembedDown", labels: { ...SERVER, slo: "up" } }, [
        "critical",
      ]),
    ],
  ),
];

function still({ series }: Series[number]): Series[number] {
  return { series, values: "7x60" };
}

function oneFailure(): Series[number] {
  const labels = { ...SERVER, route: "/api/embed", status: "500" };
  return { series: metric("embedding_requests_total", labels), values: `0x${END_MINUTE - 6} 1x60` };
}

const folder = freshFolder();

describe.skipIf(!hasPrometheus)(`the rules${skipped}:`, () => {
  test("promtool and amtool take the files as they are", () => {
    const rules = runTool(["promtool", "check", "rules", RULES]);
    expect(rules).toEqual({ ok: true, output: expect.stringContaining("SUCCESS: 21 rules found") });
    const config = runTool(["promtool", "check", "config", PROMETHEUS]);
    expect(config).toEqual({ ok: true, output: expect.stringContaining("1 rule files found") });
    const inhibit = runTool(["amtool", "check-config", ALERTMANAGER]);
    expect(inhibit).toEqual({ ok: true, output: expect.stringContaining("2 inhibit rules") });
  });

  test("each alert fires above its threshold, after its time, and not before", () => {
    copyFileSync(RULES, join(folder.path, "rules.yml"));
    const cases = [...thresholdTests, ...waitTests, ...otherTests];
    expect(cases.length).toBe(15 * 2 + 5 + 3);
    const tests = [
      {
        interval: "1m",
        input_series: cases.flatMap(({ input_series }) => input_series),
        promql_expr_test: cases.flatMap(({ promql_expr_test }) => promql_expr_test),
      },
    ];
    const file = join(folder.path, "tests.yml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ rule_files: ["rules.yml"], tests }));
    const { ok, output } = runTool(["promtool", "test", "rules", file]);
    expect(ok ? "" : output).toBe("");
  });
});
