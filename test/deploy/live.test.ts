import { describe, expect, test } from "bun:test";
import { tinyModel } from "../engine/tiny-model.ts";
import { freshFolder } from "../fresh-folder.ts";
import { startServer } from "../server/start.ts";
import { dashboardExpressions, rules } from "./expressions.ts";
import { type Monitoring, startMonitoring, type Told } from "./live.ts";
import { hasPrometheus, skipped } from "./tools.ts";

const model = tinyModel();
const folder = freshFolder();
const LIMIT_MS = 30_000;
/** More than a machine does within the deadline below. */
const MUCH = JSON.stringify(new Array(2000).fill("word ".repeat(20)));

/** Looks again and again until it is so. */
async function eventually<T>(look: () => Promise<T>, isSo: (found: T) => boolean): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  while (true) {
    const found = await look();
    if (isSo(found)) return found;
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(found)}`);
    await Bun.sleep(50);
  }
}

const errorsOf = (alerts: readonly Told[]) =>
  alerts.filter(({ labels }) => labels.alertname === "GgufembedErrors");
const statesOf = (alerts: readonly Told[]) =>
  alerts.map(({ labels, status }) => `${labels.severity} ${status.state}`).sort();

/** Every query that has no answer. */
async function unanswered(monitoring: Monitoring, queries: readonly string[]): Promise<string[]> {
  const results = await Promise.all(queries.map((query) => monitoring.query(query)));
  return queries.filter((_, i) => results[i]!.length === 0);
}

/** Of a server that Prometheus does not watch. */
const latencyAlert = (alertname: string, severity: string, model: string) => ({
  job: "ggufembed",
  instance: "elsewhere",
  slo: "latency",
  alertname,
  severity,
  model,
});

describe.skipIf(!hasPrometheus)(`Prometheus and Alertmanager${skipped}`, () => {
  test(
    "see a server that fails, and tell the worst of it alone",
    async () => {
      await using started = await startServer(
        model.path,
        { deadlineMs: 60 },
        { cacheBytes: 100_000, threads: 2 },
      );
      await using monitoring = await startMonitoring(new URL(started.url), folder.path);
      const send = (body: string) => started.post("/embed", body);
      // Rates begin with what was there first.
      await eventually(
        () => monitoring.query("embedding_requests_total"),
        (all) => all.length > 0,
      );
      expect(errorsOf(await monitoring.alerts())).toEqual([]);
      for (const body of ['["one"]', '["one", "two"]', MUCH]) await send(body);
      expect(started.log.map(({ status }) => status)).toContain(504);
      const alerts = await eventually(
        async () => errorsOf(await monitoring.alerts()),
        (found) => found.length === 3,
      );
      expect(statesOf(alerts)).toEqual([
        "critical active",
        "info suppressed",
        "warning suppressed",
      ]);
      expect(alerts[0]?.annotations.summary).toMatch(
        /^[\d.]+% of 127\.0\.0\.1:\d+'s requests fail/,
      );
      await monitoring.tell([
        latencyAlert("GgufembedLatencyP50", "critical", "one"),
        latencyAlert("GgufembedLatencyP99", "warning", "one"),
        latencyAlert("GgufembedLatencyP99", "warning", "other"),
      ]);
      const latency = await eventually(
        async () => (await monitoring.alerts()).filter(({ labels }) => labels.slo === "latency"),
        (found) =>
          found.length === 3 && found.every(({ status }) => status.state !== "unprocessed"),
      );
      const silent = latency.filter(({ status }) => status.state === "suppressed");
      expect(silent.map(({ labels: { alertname, model } }) => [alertname, model])).toEqual([
        ["GgufembedLatencyP99", "one"],
      ]);
      // A first rate by code needs a code that was there before.
      await send(MUCH);
      const recorded = rules.flatMap(({ record }) => record ?? []);
      const queries = [...dashboardExpressions, ...recorded];
      await eventually(
        () => unanswered(monitoring, queries),
        (missing) => missing.length === 0,
      );
    },
    LIMIT_MS * 2,
  );
});
