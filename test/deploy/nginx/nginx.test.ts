import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DEFAULTS } from "../../../src/server/settings.ts";
import { tinyModel } from "../../engine/tiny-model.ts";
import { freshFolder } from "../../fresh-folder.ts";
import { runTool } from "../tools.ts";
import { Fake } from "./fake.ts";
import { Instance } from "./instance.ts";
import { hasNginx, type NginxOptions, skipped, startNginx } from "./start.ts";

const model = tinyModel();
const folder = freshFolder();
const start = (instances: readonly string[], rest: Partial<NginxOptions> = {}) =>
  startNginx({ folder: folder.path, instances, ...rest });

interface Refusal {
  readonly error: { readonly code: string };
}

const codeOf = async (response: Response) => ((await response.json()) as Refusal).error.code;

describe.skipIf(!hasNginx)(`nginx${skipped}`, () => {
  test("lets a body through that the server takes, without writing it to disk", async () => {
    await using instance = await Instance.start(model.path);
    await using nginx = await start([instance.host]);
    const send = (bytes: number) => {
      const body = JSON.stringify({ input: "a" });
      return fetch(`${nginx.url}v1/embeddings`, { method: "POST", body: body.padEnd(bytes) });
    };
    expect((await send(DEFAULTS.bodyBytesMax)).status).toBe(200);
    const refused = await send(DEFAULTS.bodyBytesMax + 1);
    expect([refused.status, await codeOf(refused)]).toEqual([413, "too_large"]);
    // It writes the line after it has read what was sent in vain.
    while (nginx.logged().length < 2) await Bun.sleep(5);
    expect(nginx.logged().map(({ upstream }) => upstream)).toEqual([instance.host, ""]);
    expect(nginx.errors()).not.toContain("temporary file");
  });

  test("shows the world no health and no metrics, and tells the machine who is ready", async () => {
    await using instance = await Instance.start(model.path);
    await using nginx = await start([instance.host]);
    const statusOf = async (url: string) => (await fetch(url)).status;
    for (const path of ["health", "ready", "metrics"]) {
      expect([path, await statusOf(`${nginx.url}${path}`)]).toEqual([path, 404]);
      expect([path, await statusOf(`${instance.url}${path}`)]).toEqual([path, 200]);
    }
    expect(await statusOf(`${nginx.url}info`)).toBe(200);
    expect(await statusOf(`${nginx.innerUrl}ready`)).toBe(200);
    expect(await (await fetch(`${nginx.innerUrl}status`)).text()).toContain("Active connections");
    await instance.end("SIGTERM");
    expect(await statusOf(`${nginx.innerUrl}ready`)).toBe(502);
    const answer = await fetch(`${nginx.url}v1/models`);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await codeOf(answer)).toBe("unavailable");
  });

  test("gives a request one id, and says whose it was", async () => {
    using fake = new Fake();
    await using nginx = await start([fake.host]);
    const idOf = async (headers: Record<string, string>) => {
      const response = await fetch(`${nginx.url}embed`, { method: "POST", body: "x", headers });
      return response.headers.get("x-request-id");
    };
    expect(await idOf({ "x-request-id": "mine.1" })).toBe("mine.1");
    const made = await idOf({});
    expect(made).toMatch(/^[0-9a-f]{32}$/);
    expect(await idOf({ "x-request-id": 'no"t mine' })).toMatch(/^[0-9a-f]{32}$/);
    expect(nginx.logged()[1]?.id).toBe(made!);
    const { headers } = fake.requests[0]!;
    const told = ["x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
    expect(told.map((name) => headers.get(name))).toEqual([
      "127.0.0.1",
      "127.0.0.1",
      "http",
      "127.0.0.1",
    ]);
  });

  test("asks another instance where the first one starts, and only then", async () => {
    // 429 where all are full must reach the client, and take none of them out.
    for (const [status, asked] of [
      [503, 2],
      [429, 1],
      [500, 1],
      [504, 1],
    ] as const) {
      using first = new Fake(status);
      using second = new Fake(status);
      const own = { folder: join(folder.path, String(status)) };
      await using nginx = await start([first.host, second.host], own);
      const ask = () => fetch(`${nginx.url}embed`, { method: "POST", body: "x" });
      const answer = await ask();
      expect([status, answer.status, first.requests.length + second.requests.length]).toEqual([
        status,
        status,
        asked,
      ]);
      if (status === 503) continue;
      first.status = 200;
      second.status = 200;
      expect((await ask()).status).toBe(200);
      expect(nginx.errors()).not.toContain("temporarily disabled");
    }
    using starting = new Fake(503);
    using ready = new Fake();
    await using nginx = await start([starting.host, ready.host]);
    for (let i = 0; i < 20; i++) {
      const answer = await fetch(`${nginx.url}embed`, { method: "POST", body: "x" });
      expect(answer.status).toBe(200);
    }
    expect(starting.requests.length).toBe(1);
  });

  test("keeps its connections to the instances", async () => {
    using fake = new Fake();
    await using nginx = await start([fake.host]);
    for (let i = 0; i < 20; i++) {
      await fetch(`${nginx.url}embed`, { method: "POST", body: "x" });
    }
    // One of each worker.
    expect(fake.connections.size).toBeLessThanOrEqual(2);
    expect(fake.requests.length).toBe(20);
  });

  test("takes an answer off an instance that ends while its client reads slowly", async () => {
    const texts = 12_000;
    await using instance = await Instance.start(model.path, ["--max-items", String(texts)]);
    await using nginx = await start([instance.host]);
    const body = JSON.stringify({ inputs: new Array(texts).fill("a") });
    const head = `POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n`;
    const socket = connect(nginx.port, "127.0.0.1");
    const parts: Buffer[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    socket.on("data", (part: Buffer) => {
      parts.push(part);
      socket.pause();
      begin();
    });
    socket.on("close", () => resolve());
    socket.write(`${head}connection: close\r\n\r\n${body}`);
    await begun;
    expect(await instance.end("SIGTERM")).toBe(0);
    socket.on("data", () => socket.resume());
    socket.resume();
    await ended;
    const answer = Buffer.concat(parts).toString();
    expect(answer).toStartWith("HTTP/1.1 200 OK");
    expect(answer.length).toBeGreaterThan(2 ** 23);
    // Each vector has come.
    expect(answer.split("],[").length).toBe(texts);
  });

  test("limits each client, if it is asked to", async () => {
    using fake = new Fake();
    await using nginx = await start([fake.host], { parts: ["limit"] });
    const ask = (key: string) => {
      const headers = { authorization: `Bearer ${key}` };
      return fetch(`${nginx.url}embed`, { method: "POST", body: "x", headers });
    };
    const answers = await Promise.all(Array.from({ length: 300 }, () => ask("one")));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(50);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]));
    expect(refused[0]!.headers.get("retry-after")).toBe("1");
    expect(await codeOf(refused[0]!)).toBe("rate_limited");
    expect((await ask("another")).status).toBe(200);
  });

  test("speaks TLS, if it is asked to", async () => {
    const tls = join(folder.path, "tls");
    mkdirSync(tls);
    const files = ["-keyout", join(tls, "ggufembed.key"), "-out", join(tls, "ggufembed.crt")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"];
    const made = runTool(["openssl", "req", ...kind, ...files, ...names]);
    expect([made.ok, made.output]).toEqual([true, expect.any(String)]);
    using fake = new Fake();
    await using nginx = await start([fake.host], { parts: ["tls"] });
    const ca = Bun.file(join(tls, "ggufembed.crt"));
    const answer = await fetch(`${nginx.url}embed`, { method: "POST", body: "x", tls: { ca } });
    expect(answer.status).toBe(200);
    expect(fake.requests[0]!.headers.get("x-forwarded-proto")).toBe("https");
  });

  test("does not compress vectors", async () => {
    await using instance = await Instance.start(model.path);
    await using nginx = await start([instance.host]);
    const body = JSON.stringify({ inputs: new Array(100).fill("a") });
    const headers = { "accept-encoding": "gzip" };
    const answer = await fetch(`${nginx.url}embed`, { method: "POST", body, headers });
    expect(answer.headers.get("content-encoding")).toBeNull();
  });
});
