import { expect, test } from "bun:test";
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
    if (answer.includes("\r\n\r\n")) socket.end();
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
