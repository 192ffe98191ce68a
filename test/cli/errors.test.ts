import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { workplace } from "./model.ts";
import { cli, MAIN } from "./run-cli.ts";

const place = workplace();
const MODEL = "MODEL";
const argsOf = (line: string) => line.split(" ").map((arg) => (arg === MODEL ? place.model : arg));

describe("bad usage: code 2, the reason, and where help is", () => {
  test.each([
    ["", "which command?"],
    ["embd", "unknown command 'embd'; did you mean 'embed'?"],
    ["--verson", "unknown option '--verson'"],
    ["help nothing", "unknown command 'nothing'"],
    [
      "embed x",
      "embed: which model? give -m MODEL, a .gguf file or a name, or set GGUFEMBED_MODEL",
    ],
    ["embed -m MODEL --formt json x", "embed: unknown option '--formt'; did you mean '--format'?"],
    ["embed -m MODEL --dimensions 0 x", "embed: option '--dimensions' takes a whole number"],
    ["embed -m MODEL x --input -", "embed: give either TEXT or --input, not both"],
    ["embed -m MODEL x --jsonl", "embed: --jsonl describes the lines of --input"],
    ["embed -m MODEL x --dimensions 65", "embed: dimensions is 65"],
    [
      "embed -m MODEL x --threads 257",
      "embed: threads is 257; it must be a whole number from 1 to",
    ],
    ["embed -m MODEL x --task cooking", 'embed: No task "cooking" for the model'],
    ["embed -m MODEL x --task query --title T", "embed: A title was given"],
    ["inspect", "inspect: which model? give MODEL"],
    ["inspect a b", "inspect: takes one MODEL, found 2"],
    ["doctor x", "doctor: takes no arguments"],
  ])("%s: %s", async (line, message) => {
    const { code, stdout, stderr } = await cli(line === "" ? [] : argsOf(line));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toStartWith(`ggufembed: ${message}`);
    const command = /^\w+(?=: )/.exec(message)?.[0];
    const program = command === undefined ? "ggufembed" : `ggufembed ${command}`;
    expect(stderr).toEndWith(`\nTry '${program} --help'.\n`);
    expect(stderr.split("\n")).toHaveLength(3);
  });
});

describe("bad input: code 1 and one line", () => {
  test.each([
    ["embed -m none.gguf x", /none\.gguf/],
    ["tokenize -m none.gguf x", /none\.gguf/],
    ["inspect none.gguf", /none\.gguf/],
    ["verify none.gguf", /none\.gguf/],
    ["embed -m MODEL --input none.txt", /cannot read none\.txt: no such file or directory/],
    ["embed -m MODEL --input .", /cannot read \.: it is a folder/],
    ["embed -m MODEL -o none/rows x", /cannot write none\/rows: no such file or directory/],
    ["embed -m MODEL -o . x", /cannot write \.: it is a folder/],
  ])("%s", async (line, message) => {
    const { code, stdout, stderr } = await cli(argsOf(line), { cwd: place.folder });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^ggufembed: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  test("a file that is there and cannot be opened", async () => {
    // A socket: no permission has to be missing, which it never is for root.
    const socket = Bun.listen({ unix: `${place.folder}/socket`, socket: { data() {} } });
    const args = argsOf("embed -m MODEL --input socket");
    const { code, stdout, stderr } = await cli(args, { cwd: place.folder });
    socket.stop();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^ggufembed: cannot read socket: [^\n]+\n$/);
  });

  test("a line break in a name makes no second line", async () => {
    const { code, stderr } = await cli(["embed", "-m", place.model, "--input", "two\nlines"]);
    expect(code).toBe(1);
    expect(stderr).toBe("ggufembed: cannot read two lines: no such file or directory\n");
  });

  test("a bad line of JSONL is named, after the results of those before it", async () => {
    const path = place.file("bad.jsonl");
    writeFileSync(path, '"a"\n\n{"text":"b"}\n{"txt":"c"}\n"d"\n');
    const { code, stdout, stderr } = await cli(argsOf(`embed -m MODEL --jsonl --input ${path}`));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\{"index":0,.*\}\n\{"index":1,.*\}\n$/);
    const expected = 'expected a JSON string or an object with a string field "text"';
    expect(stderr).toBe(`ggufembed: ${path}:4: ${expected}, found an object without "text"\n`);
  });

  test("output that does not fit is told", async () => {
    const child = Bun.spawn(
      ["sh", "-c", '"$0" "$@" > /dev/full', process.execPath, MAIN, ...argsOf("embed -m MODEL x")],
      { stdout: "pipe", stderr: "pipe" },
    );
    expect(await child.exited).toBe(1);
    expect(await child.stderr.text()).toBe(
      "ggufembed: cannot write standard output: no space left on device\n",
    );
  });
});

test("GGUFEMBED_DEBUG shows where an error comes from, before the line", async () => {
  const { code, stderr } = await cli(["inspect", "none.gguf"], { env: { GGUFEMBED_DEBUG: "1" } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^GgufEmbedError: .*\n +at /);
  expect(stderr).toMatch(/\nggufembed: .*none\.gguf.*\n$/);
});
