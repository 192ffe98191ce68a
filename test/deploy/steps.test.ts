import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { health, ready } from "../../src/server/routes/about.ts";
import { DEFAULTS } from "../../src/server/settings.ts";
import { ROOT } from "../docs/markdown.ts";
import {
  CONTAINERFILE,
  compose,
  instructionsOf,
  serverManifests,
  workerManifests,
} from "./manifests.ts";
import { amountOf, findDirective, parseConfig, readConfig } from "./nginx/config.ts";

const COMPOSE_FOLDER = join(ROOT, "deploy", "compose");
/** What a server needs beside its grace: to flush answers, and to end. */
const ENDING_MS = 5000;
const graceMs = DEFAULTS.graceMs + ENDING_MS;

const instructions = instructionsOf(CONTAINERFILE);
const textsOf = (name: string) =>
  instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
const [deployment, service, scaler, budget] = serverManifests;
const pod = deployment!.spec.template!.spec;
const [container] = pod.containers;

describe("the container file is in step with the server:", () => {
  test("its port, its commands and its end", () => {
    expect(textsOf("EXPOSE")).toEqual([String(DEFAULTS.port)]);
    expect(textsOf("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(textsOf("ENTRYPOINT")).toEqual([JSON.stringify(["ggufembed"])]);
    expect(JSON.parse(textsOf("CMD")[0]!)).toEqual(["serve", "--host", "0.0.0.0"]);
    const [check] = textsOf("HEALTHCHECK");
    expect(check).toContain(`/dev/tcp/127.0.0.1/${DEFAULTS.port} `);
    expect(check).toContain(`GET ${ready.path} HTTP/1.0`);
  });

  test("it is built by the Bun that the packages ask for, from files that are there", () => {
    const bun = packageJson.engines.bun.replace(">=", "");
    expect(textsOf("FROM")[0]).toBe(`docker.io/oven/bun:${bun}-slim AS build`);
    const kept = readFileSync(join(ROOT, ".dockerignore"), "utf8").matchAll(/^!(.+)$/gm);
    const missing = [...kept].filter(([, path]) => !existsSync(join(ROOT, path!)));
    expect(missing).toEqual([]);
  });
});

describe("Compose is in step with the server:", () => {
  const { nginx, "server-1": first, "server-2": second, worker } = compose.services;
  const upstreamOf = (text: string) => findDirective(parseConfig(text), "upstream").children;
  const ours = upstreamOf(readFileSync(join(COMPOSE_FOLDER, "upstream.conf"), "utf8"));

  test("nginx asks its instances, at the server's port", () => {
    const hosts = ours.flatMap(({ name, values }) => (name === "server" ? values[0]! : []));
    const addresses = [first, second].map((instance) => instance?.networks.inside.ipv4_address);
    expect(hosts).toEqual(addresses.map((address) => `${address}:${DEFAULTS.port}`));
    expect(nginx?.ports).toEqual([`${DEFAULTS.port}:${DEFAULTS.port}`]);
  });

  test("its upstream.conf is that of deploy/nginx but for the addresses", () => {
    const withoutHosts = (directives: typeof ours) => {
      const all = directives.map(({ name, values }) =>
        name === "server" ? [name, ...values.slice(1)] : [name, ...values],
      );
      return new Set(all.map((words) => words.join(" ")));
    };
    expect(withoutHosts(ours)).toEqual(withoutHosts(upstreamOf(readConfig("upstream.conf"))));
  });

  test("it waits for what runs, and its paths are there", () => {
    for (const instance of [first, second, worker]) {
      expect(amountOf(instance!.stop_grace_period)).toBeGreaterThanOrEqual(graceMs);
    }
    const limit = findDirective(parseConfig(readConfig("ggufembed.conf")), "proxy_read_timeout");
    const nginxMs = amountOf(nginx!.stop_grace_period);
    expect(nginxMs).toBeGreaterThan(amountOf(limit.values[0]!));
    const files = nginx!.volumes.map((volume) => volume.split(":")[0]!);
    expect(files.length).toBe(2);
    for (const file of files) expect(existsSync(resolve(COMPOSE_FOLDER, file))).toBe(true);
  });
});

describe("Kubernetes is in step with the server:", () => {
  test("ports, and the probes' paths", () => {
    expect(container!.ports).toEqual([{ name: "http", containerPort: DEFAULTS.port }]);
    expect(service!.spec.ports).toEqual([
      expect.objectContaining({ port: DEFAULTS.port, targetPort: "http" }),
    ]);
    const { startupProbe, readinessProbe, livenessProbe } = container!;
    const paths = [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path);
    expect(paths).toEqual([ready.path, ready.path, health.path]);
  });

  test("a pod lives as long as its preStop, the server's grace and its end take", () => {
    const [command, seconds] = container!.lifecycle.preStop.exec.command;
    expect(command).toBe("sleep");
    const neededMs = Number(seconds) * 1000 + DEFAULTS.graceMs + ENDING_MS;
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(neededMs);
  });

  test("user, arguments, model's folder and keys are the image's and the server's", () => {
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(textsOf("USER")).toEqual([`${runAsUser}:${runAsGroup}`]);
    expect(container!.args).toEqual(JSON.parse(textsOf("CMD")[0]!));
    const [folder] = container!.volumeMounts.map(({ mountPath }) => mountPath);
    expect(textsOf("ENV")[0]).toContain(`GGUFEMBED_MODEL=${folder}/`);
    const serve = readFileSync(join(ROOT, "src/cli/commands/serve.ts"), "utf8");
    for (const { name } of container!.env) expect(serve).toContain(`"${name}"`);
  });

  test("selectors select the pods, and the autoscaler the deployment", () => {
    for (const { spec } of [deployment!, workerManifests[0]!]) {
      expect(spec.selector).toEqual({ matchLabels: spec.template!.metadata.labels });
    }
    const { labels } = deployment!.spec.template!.metadata;
    expect([service!.spec.selector, budget!.spec.selector]).toEqual([
      labels,
      { matchLabels: labels },
    ]);
    const { kind, metadata } = deployment!;
    expect(scaler!.spec.scaleTargetRef).toMatchObject({ kind, name: metadata.name });
  });
});
