import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { tinyModel } from "../engine/tiny-model.ts";
import { type Started, startServer } from "./start.ts";

const model = tinyModel();

/** What a server says to `head`, until it closes the connection or falls silent. */
async function raw({ url }: Started, head: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("data", (data) => {
    answer += data;
    if (answer.includes("\r\n\r\n")) socket.destroy();
  });
  socket.write(head);
  await new Promise((resolve) => socket.on("close", resolve));
  return answer;
}

test("requests that name no host, or one that is none, are answered as others", async () => {
  await using started = await startServer(model.path);
  for (const head of [
    "GET /health HTTP/1.0\r\n\r\n",
    "GET /health?verbose=1 HTTP/1.1\r\nHost:\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a b<>\r\n\r\n",
    "GET http://elsewhere/health HTTP/1.1\r\nHost: x\r\n\r\n",
  ]) {
    expect(await raw(started, head)).toStartWith("HTTP/1.1 200 OK\r\n");
  }
});

test("HEAD is answered where GET is", async () => {
  await using started = await startServer(model.path);
  for (const [path, status] of [
    ["health", 200],
    ["ready", 200],
    ["metrics", 200],
    ["embed", 405],
  ] as const) {
    const response = await fetch(`${started.url}${path}`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([status, ""]);
  }
  const wrong = await fetch(`${started.url}health`, { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

const UNFINISHED = "POST /embed HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[";

test("a body that does not come in time is not waited for, and its connection ends", async () => {
  await using started = await startServer(model.path, { deadlineMs: 100 });
  const chunked = "POST /embed HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n";
  for (const head of [UNFINISHED, chunked]) {
    const answer = await raw(started, head);
    expect(answer).toStartWith("HTTP/1.1 408 ");
    expect(answer.toLowerCase()).toContain("connection: close");
  }
  expect(started.log.map(({ code }) => code)).toEqual(["body_timeout", "body_timeout"]);
});

test("a request may be silent for longer than a connection may idle", async () => {
  // Bun looks for idle connections every four seconds.
  await using started = await startServer(model.path, { idleSeconds: 1, deadlineMs: 6000 });
  expect(await raw(started, UNFINISHED)).toStartWith("HTTP/1.1 408 ");
}, 20_000);

test("a client that leaves in the middle of its body is no failure of the server", async () => {
  await using started = await startServer(model.path);
  const { hostname, port } = new URL(started.url);
  const socket = connect(Number(port), hostname);
  socket.write(UNFINISHED);
  await Bun.sleep(50);
  socket.destroy();
  while (started.log.length === 0) await Bun.sleep(1);
  expect(started.log[0]).toMatchObject({ status: 499, code: "client_closed_request" });
});

test("a body with an encoding is refused as what it is", async () => {
  await using started = await startServer(model.path);
  for (const [encoding, status] of [
    ["gzip", 415],
    ["identity", 200],
  ] as const) {
    const headers = { "content-encoding": encoding };
    const body = encoding === "gzip" ? Bun.gzipSync('["a"]') : '["a"]';
    const response = await fetch(`${started.url}embed`, { method: "POST", body, headers });
    expect(response.status).toBe(status);
  }
});

test("a body far beyond the limit is refused in words and in the log", async () => {
  await using started = await startServer(model.path, { bodyBytesMax: 1000 });
  const response = await started.post("/embed", " ".repeat(20_000_000));
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error_type: "Validation" });
  expect(started.log[0]).toMatchObject({ status: 413, code: "too_large" });
  const head = "POST /embed HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n[";
  expect(await raw(started, head)).toContain("larger than 1000 bytes");
});

describe("a body full of what does not fit", () => {
  const COUNT = 500_000;
  const many = (item: string) => new Array(COUNT).fill(item).join(",");
  for (const [name, path, body] of [
    ["numbers for texts", "/embed", `[${many("1")}]`],
    ["empty ids", "/embed", `{"inputs":[${many("[]")}]}`],
    ["half of each", "/v1/embeddings", `{"input":[${many('"a",1.5')}]}`],
    ["numbers for Ollama", "/api/embed", `{"model":"tiny","input":[${many("1")}]}`],
  ] as const) {
    test(`of ${name} is refused at the first of them`, async () => {
      await using started = await startServer(model.path);
      const before = process.memoryUsage.rss();
      const response = await started.post(path, body);
      expect(response.status).toBe(400);
      expect((await response.text()).length).toBeLessThan(500);
      // An error for each would take a kilobyte for each.
      expect(process.memoryUsage.rss() - before).toBeLessThan(COUNT * 300);
    });
  }

  test("of unknown parameters names some", async () => {
    await using started = await startServer(model.path);
    const names = Array.from({ length: 1000 }, (_, i) => [`${i} ${"x".repeat(1000)}`, 1]);
    const body = { ...Object.fromEntries(names), input: "a" };
    const response = await started.post("/v1/embeddings", body);
    expect(response.status).toBe(400);
    expect((await response.text()).length).toBeLessThan(2000);
  });
});
