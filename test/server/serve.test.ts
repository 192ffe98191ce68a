import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliEnvironment, MAIN } from "../cli/run-cli.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { startProcess } from "./process.ts";

const model = tinyModel();

const serve = (args: readonly string[] = [], env: Record<string, string> = {}) =>
  startProcess([process.execPath, MAIN], model.path, {
    env: { ...cliEnvironment(), ...env },
    args,
  });

describe("SIGTERM", () => {
  test("of a server at rest ends it at once, with code 0", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { url, child, ended } = await serve();
      expect((await fetch(`${url}ready`)).status).toBe(200);
      child.kill(signal);
      expect((await ended()).code).toBe(0);
    }
  });

  test("under load loses no request that was accepted", async () => {
    const { url, child, ended } = await serve();
    let answered = 0;
    let refused = 0;
    const failures: unknown[] = [];
    let stopping = false;
    const client = async () => {
      while (true) {
        let response: Response;
        try {
          const body = JSON.stringify(new Array(20).fill("word ".repeat(20)));
          response = await fetch(`${url}embed`, { method: "POST", body });
        } catch (error) {
          // Nobody listens any more: this one was never accepted.
          if (stopping) return;
          throw error;
        }
        if (response.status !== 200) refused += 1;
        const vectors = (await response.json()) as number[][];
        if (vectors.length !== 20) failures.push(vectors);
        answered += 1;
      }
    };
    const clients = Promise.allSettled(Array.from({ length: 16 }, client));
    while (answered <= 16) await Bun.sleep(10);
    stopping = true;
    child.kill("SIGTERM");
    const { code, stderr } = await ended();
    for (const outcome of await clients) {
      expect(outcome.status === "rejected" ? outcome.reason : undefined).toBeUndefined();
    }
    expect([code, refused, failures]).toEqual([0, 0, []]);
    // Every answer that the server logged has reached its client.
    const logged = stderr.split("\n").filter((line) => line.includes('"path":"/embed"'));
    expect(logged.length).toBe(answered);
  });
});

describe("the command line", () => {
  test("opens several models, by their names", async () => {
    const other = join(model.folder, "other.gguf");
    writeFileSync(other, new Uint8Array(await Bun.file(model.path).arrayBuffer()));
    const { url, child, ended } = await serve(["-m", other]);
    const list = (await (await fetch(`${url}v1/models`)).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual(["tiny", "other"]);
    const body = JSON.stringify({ model: "other", input: "a" });
    const answer = await fetch(`${url}v1/embeddings`, { method: "POST", body });
    expect(((await answer.json()) as { model: string }).model).toBe("other");
    child.kill();
    expect((await ended()).code).toBe(0);
  });

  test("takes keys from a file and from the environment", async () => {
    const keys = join(model.folder, "keys.txt");
    writeFileSync(keys, "# ours\nfrom-file\n\n");
    for (const [args, env, key] of [
      [["--api-key-file", keys], {}, "from-file"],
      [[], { GGUFEMBED_API_KEYS: "first,second" }, "second"],
    ] as const) {
      const { url, child, ended } = await serve(args, env);
      expect((await fetch(`${url}v1/models`)).status).toBe(401);
      const headers = { authorization: `Bearer ${key}` };
      expect((await fetch(`${url}v1/models`, { headers })).status).toBe(200);
      child.kill();
      await ended();
    }
  });

  test("says what is wrong with its options", async () => {
    const empty = join(model.folder, "empty.txt");
    writeFileSync(empty, "# nothing\n");
    const { url, child, ended } = await serve();
    const { port } = new URL(url);
    const cases: readonly [args: readonly string[], code: number, message: string][] = [
      [["--port", "x"], 2, "option '--port' takes a number from 0 to 65535, found 'x'"],
      [["--port", "70000"], 2, "found '70000'"],
      [["text"], 2, "takes no arguments"],
      [["--cors", "https://a.example/"], 2, "found 'https://a.example/'"],
      [["--cors", "a.example"], 2, "takes * or an origin"],
      [["--api-key-file", join(model.folder, "nowhere")], 1, "the keys cannot be read"],
      [["--api-key-file", empty], 1, "there is no key in it"],
      [["-m", model.path], 1, "two models are called tiny"],
      [["--port", port], 1, `cannot listen on 127.0.0.1:${port}`],
    ];
    for (const [args, code, message] of cases) {
      const failed = await (await serve(args)).ended();
      expect([failed.code, failed.stderr]).toEqual([code, expect.stringContaining(message)]);
    }
    child.kill();
    await ended();
    // Keys that are none must not open the server to everybody.
    const failed = await (await serve([], { GGUFEMBED_API_KEYS: " , #k" })).ended();
    const message = expect.stringContaining("there is no key in GGUFEMBED_API_KEYS");
    expect([failed.code, failed.stderr]).toEqual([1, message]);
  });
});
