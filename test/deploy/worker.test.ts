import { expect, test } from "bun:test";
import { worker } from "../../src/cli/commands/worker.ts";
import { QUEUE_OPTIONS, RESULTS_OPTION } from "../../src/cli/queue.ts";
import { cli } from "../cli/run-cli.ts";
import { compose, workerManifests } from "./manifests.ts";

const pod = workerManifests[0]!.spec.template!.spec;
/** What one needs beside its grace. */
const ENDING_SECONDS = 5;

test("workers are told where to work by the variables that the command reads", () => {
  const told = [QUEUE_OPTIONS.redis.help, RESULTS_OPTION.output.help].join();
  const variables = ["GGUFEMBED_REDIS", "GGUFEMBED_RESULTS"];
  for (const variable of variables) expect(told).toContain(`$${variable}`);
  expect(Object.keys(compose.services.worker!.environment!)).toEqual(variables);
  const [container] = pod.containers;
  expect(container!.env.map(({ name }) => name)).toEqual(variables);
  expect([container!.args, compose.services.worker!.command]).toEqual([
    [worker.name],
    [worker.name],
  ]);
});

test("workers have the time that they take to end", async () => {
  const { stdout } = await cli(["worker", "--help"]);
  const grace = Number(/--grace .*default: (\d+)/.exec(stdout)?.[1]);
  const seconds = [
    pod.terminationGracePeriodSeconds,
    Number.parseInt(compose.services.worker!.stop_grace_period, 10),
  ];
  for (const given of seconds) expect(given).toBeGreaterThanOrEqual(grace + ENDING_SECONDS);
});
