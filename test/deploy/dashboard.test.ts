import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeSpansOf, readDocument, tableRowsOf } from "../docs/markdown.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { freshFolder } from "../fresh-folder.ts";
import { startServer } from "../server/start.ts";
import { dashboard, dashboardExpressions, metricsOf, rules } from "./expressions.ts";
import { hasPrometheus, runTool, skipped } from "./tools.ts";

const model = tinyModel();
const folder = freshFolder();

/** What a server with a cache tells once a request has failed. */
async function scrape(): Promise<string> {
  // For two threads, warming up is enough to know a speed.
  const options = { cacheBytes: 100_000, threads: 2 };
  await using started = await startServer(model.path, {}, options);
  await started.post("/embed", ["one"]);
  await started.post("/embed", { inputs: 3 });
  return await (await fetch(`${started.url}metrics`)).text();
}

const samplesOf = (text: string) =>
  new Set([...text.matchAll(/^([a-z_:]+)[{ ]/gim)].map(([, name = ""]) => name));

describe("metrics:", () => {
  test("rules and dashboard read nothing but what a server tells", async () => {
    const recorded = rules.flatMap(({ record }) => record ?? []);
    const known = new Set([...samplesOf(await scrape()), ...recorded, "up"]);
    const variables = dashboard.templating.list.flatMap(({ query }) =>
      typeof query === "string" ? [] : (/\((\w+)/.exec(query.query)?.[1] ?? "none"),
    );
    const used = [...rules.map(({ expr }) => expr), ...dashboardExpressions].flatMap(metricsOf);
    expect([...used, ...variables].filter((name) => !known.has(name))).toEqual([]);
    // That the names are found at all.
    expect(used).toContain("embedding_latency_seconds_bucket");
    expect(used).toContain("ggufembed:errors:ratio5m");
    expect(variables).toEqual(["embedding_model_info", "embedding_model_info"]);
  });

  test("docs/operations.md has every one with type and labels, and every alert", async () => {
    const rows = tableRowsOf(readDocument("docs/operations.md"));
    const text = await scrape();
    const told = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => {
      const labels = new RegExp(`^${name}(?:_count)?(?:\\{(.+)\\})? `, "m").exec(text)?.[1] ?? "";
      return [name, type, ...[...labels.matchAll(/(\w+)=/g)].map(([, label = ""]) => label)];
    });
    const documented = rows
      .filter(([, type = ""]) => /^(histogram|counter|gauge)$/.test(type))
      .map(([name = "", type = "", labels = ""]) => [
        ...codeSpansOf({ prose: name }),
        type,
        ...codeSpansOf({ prose: labels }),
      ]);
    expect(documented.sort()).toEqual(told.sort());
    const alerts = new Set(rules.flatMap(({ alert }) => alert ?? []));
    expect(rows.map(([head = ""]) => head).filter((head) => /^`Ggufembed/.test(head))).toEqual(
      [...alerts].map((alert) => `\`${alert}\``),
    );
  });

  test("a name is found between functions, labels and words", () => {
    const ratio = 'sum by (le, a_b) (rate(x_total{y="z"}[5m])) / sum(up{job="q"}) and on (b) c:d';
    expect(metricsOf(ratio)).toEqual(["x_total", "up", "c:d"]);
  });

  test.skipIf(!hasPrometheus)(`promtool finds nothing to say of them${skipped}`, async () => {
    const checked = runTool(["promtool", "check", "metrics"], await scrape());
    expect(checked).toEqual({ ok: true, output: "" });
  });
});

describe("the dashboard:", () => {
  test("every panel has its place, and its data source is the variable", () => {
    const { panels, templating } = dashboard;
    expect(templating.list.map(({ name }) => name)).toEqual(["datasource", "instance", "model"]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
    for (const { type, datasource, targets = [] } of panels.filter(isChart)) {
      expect(datasource?.uid).toMatch(/^\$\{datasource\}$/);
      expect(targets.length).toBeGreaterThan(0);
      expect(type).toMatch(/^(timeseries|heatmap|table|stat)$/);
    }
    expect(panels.filter(({ type }) => type === "row").map(({ title }) => title)).toEqual([
      "Latency",
      "Rate",
      "Queue",
      "Batches",
      "Tokens",
      "Errors",
      "Cache",
      "Memory",
      "What runs",
    ]);
  });

  test("its lines are the thresholds of the alerts", () => {
    const lines = (title: string) =>
      dashboard.panels
        .find((panel) => panel.title === title)
        ?.fieldConfig?.defaults.thresholds?.steps.flatMap(({ value }) => value ?? []);
    const thresholds = (alert: string) =>
      rules.filter((rule) => rule.alert === alert).map(({ expr }) => Number(expr.split(" > ")[1]));
    for (const quantile of ["50", "95", "99"]) {
      const found = lines(`Latency p${quantile}`);
      expect(found).toEqual(thresholds(`GgufembedLatencyP${quantile}`));
      expect(found).toHaveLength(3);
    }
    expect(lines("Resident memory")).toEqual(thresholds("GgufembedMemory"));
    // A line at nothing cannot be seen.
    expect([0, ...lines("Failed requests")!]).toEqual(thresholds("GgufembedErrors"));
  });

  test.skipIf(!hasPrometheus)(`every expression is PromQL${skipped}`, () => {
    const recorded = dashboardExpressions.map((expr, i) => ({ record: `panel:${i}`, expr }));
    const file = join(folder.path, "panels.yml");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: recorded }] }));
    const { ok, output } = runTool(["promtool", "check", "rules", file]);
    expect(ok ? "" : output).toBe("");
    expect(output).toContain(`SUCCESS: ${dashboardExpressions.length} rules found`);
  });
});

function isChart({ type }: { readonly type: string }): boolean {
  return type !== "row";
}
