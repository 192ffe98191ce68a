import { expect, test } from "bun:test";
import { open } from "../../src/index.ts";
import { embedFor } from "../../src/server/endpoint.ts";
import { Load } from "../../src/server/load.ts";
import { Metrics } from "../../src/server/metrics.ts";
import { Models } from "../../src/server/models.ts";
import { DEFAULTS } from "../../src/server/settings.ts";
import { tinyModel } from "../engine/tiny-model.ts";

const model = tinyModel();

test("requests that are refused teach nothing of how long work takes", async () => {
  await using embedder = await open(model.path);
  const models = new Models([{ source: model.path, embedder }]);
  const load = new Load(10_000);
  for (let i = 0; i < 200; i++) load.observe(1000, 3000);
  const service = {
    settings: DEFAULTS,
    models,
    metrics: new Metrics(models, []),
    load,
    index: undefined,
    unready: () => undefined,
  };
  const exchange = {
    request: new Request("http://localhost/embed"),
    service,
    signal: new AbortController().signal,
    notes: {},
  };
  const request = { model: undefined, texts: ["word ".repeat(999)] };
  for (let i = 0; i < 200; i++) {
    expect(await embedFor(exchange, request).catch(() => "refused")).toBe("refused");
  }
  expect(load.refusal(1700)).toBe(6);
});
