import { describe, expect, test } from "bun:test";
import { DEFAULTS } from "../../../src/server/settings.ts";
import { amountOf, type Directive, findDirective, parseConfig, readConfig } from "./config.ts";

const upstream = parseConfig(readConfig("upstream.conf"));
const server = parseConfig(readConfig("ggufembed.conf"));
const amount = (among: readonly Directive[], name: string) =>
  amountOf(findDirective(among, name).values[0]!);

describe("deploy/nginx is in step with the server:", () => {
  test("a body may be as large, and nginx's refusal says how large", () => {
    expect(amount(server, "client_max_body_size")).toBe(DEFAULTS.bodyBytesMax);
    expect(amount(server, "client_body_buffer_size")).toBe(DEFAULTS.bodyBytesMax);
    const refusal = server
      .flatMap(({ children }) => children)
      .find(({ values }) => values[0] === "@too_large");
    const told = findDirective(refusal?.children ?? [], "set").values[1];
    expect(told).toContain(`larger than ${DEFAULTS.bodyBytesMax / 2 ** 20} MiB;`);
  });

  test("nginx waits until the server's deadline is over, and asks no other after it", () => {
    expect(amount(server, "proxy_read_timeout")).toBeGreaterThan(DEFAULTS.deadlineMs);
    expect(amount(server, "proxy_next_upstream_timeout")).toBeLessThanOrEqual(DEFAULTS.deadlineMs);
    expect(amount(server, "client_body_timeout")).toBeLessThan(DEFAULTS.deadlineMs);
  });

  test("nginx leaves an idle connection before the server does", () => {
    const idleMs = DEFAULTS.idleSeconds * 1000;
    expect(amount(upstream, "keepalive_timeout")).toBeLessThanOrEqual(idleMs / 2);
  });

  test("the first instance and nginx do not want the same port", () => {
    const listening = server.flatMap(({ children }) =>
      children.filter(({ name }) => name === "listen").map(({ values }) => values[0]),
    );
    // The server's own, so that clients need not know of nginx.
    expect(listening).toEqual([String(DEFAULTS.port), "127.0.0.1:8090"]);
    const instances = findDirective(upstream, "upstream").children.filter(
      ({ name }) => name === "server",
    );
    const ports = instances.map(({ values: [host] }) => Number(host!.split(":")[1]));
    expect(ports).toEqual([1, 2, 3].map((i) => DEFAULTS.port + i));
  });
});

test("the parser reads what nginx reads, and no comments", () => {
  const text = `a 1 "b c"; # d 2;\nblock 'x;y' {\n  #e 3;\n  f;\n}`;
  expect(parseConfig(text)).toEqual([
    { name: "a", values: ["1", '"b c"'], children: [] },
    { name: "block", values: ["'x;y'"], children: [{ name: "f", values: [], children: [] }] },
  ]);
  expect(() => parseConfig("a 1")).toThrow("a directive that does not end: a 1");
  expect(() => findDirective([], "a")).toThrow("there is no a");
  expect(() => amountOf("many")).toThrow("many is no amount");
  expect([amountOf("8m"), amountOf("2s"), amountOf("5")]).toEqual([8 * 2 ** 20, 2000, 5]);
});
