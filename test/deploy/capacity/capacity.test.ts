import { expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT } from "../../docs/markdown.ts";
import { serverManifests } from "../manifests.ts";
import { insertFigures } from "./document.ts";
import { readFigures } from "./figures.ts";
import { BYTES_OF, bulkWork, megabits, SERVING_UTILISATION, serving } from "./model.ts";

test("docs/capacity.md says what follows from docs/capacity.json, and nothing else", async () => {
  const document = await Bun.file(join(ROOT, "docs", "capacity.md")).text();
  const figures = await readFigures();
  expect(insertFigures(document, figures)).toBe(document);
  const [first, ...rest] = figures.layouts;
  const faster = first!.bulkTokensPerSecond.map((tokens) => 2 * tokens);
  const others = { ...figures, layouts: [{ ...first!, bulkTokensPerSecond: faster }, ...rest] };
  expect(insertFigures(document, others)).not.toBe(document);
});

test("a load needs what a hand calculates", () => {
  // 1000 texts a second of 60 tokens: 60,000 tokens/s, of which a core does 6000 at 60 %.
  expect(serving(3_600_000, 60, 10_000)).toEqual({
    tokensPerSecond: 60_000,
    cores: 10,
    instances: 6,
  });
  // 900 million tokens at 900/s of a core: a million seconds, 11.6 days of one core.
  const { coreHours, workers } = bulkWork(9_000_000, 100, 1000, 1);
  expect([Math.round(coreHours), workers]).toEqual([278, 7]);
  const bytes = Object.values(BYTES_OF).map((bytesOf) => bytesOf(768));
  expect(bytes).toEqual([3072, 772, 96]);
  expect(megabits(3600, 125_000)).toBe(1);
});

test("the autoscaler keeps to the share that the model reckons with", () => {
  const scaler = serverManifests.find(({ kind }) => kind === "HorizontalPodAutoscaler");
  const target = { type: "Utilization", averageUtilization: SERVING_UTILISATION * 100 };
  expect(scaler?.spec).toMatchObject({ metrics: [{ resource: { name: "cpu", target } }] });
});
