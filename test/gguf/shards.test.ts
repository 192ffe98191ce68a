import { describe, expect, test } from "bun:test";
import { copyFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { sha256OfChunks } from "../../src/download/sha256.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { parseShardName, shardPaths } from "../../src/gguf/shard-name.ts";
import { unsplit } from "../../src/gguf/unsplit.ts";
import * as value from "../../src/gguf/values.ts";
import { writeGguf } from "../../src/gguf/writer.ts";
import { freshFolder } from "../fresh-folder.ts";
import { rejection } from "./rejection.ts";
import { asMap, EVERY_TYPE, sampleTensor } from "./samples.ts";
import { type EditShard, splitModel } from "./split.ts";

const folder = freshFolder();
const at = (name: string) => join(folder.path, name);
const NAMES = ["a", "b", "c", "d", "e"];

/** Five tensors of 20, 40, … bytes, which their padding tells apart. */
async function writeWhole(more = {}): Promise<string> {
  const tensors = NAMES.map((name, i) =>
    sampleTensor({ name, type: "F32", shape: [5, i + 1] }, 40 * i),
  );
  await writeGguf(at("whole.gguf"), asMap({ ...EVERY_TYPE, ...more }), tensors);
  return at("whole.gguf");
}

const split = async (edit?: EditShard) => splitModel(await writeWhole(), at("m"), [2, 0, 3], edit);

async function refusal(path: string) {
  const { code, message } = await rejection(readGguf(path));
  return { code, message: message.replaceAll(`${folder.path}/`, "") };
}

describe("a split model", () => {
  test("is one file, by the path of any shard", async () => {
    const paths = await split();
    const whole = await readGguf(at("whole.gguf"));
    const file = await readGguf(paths[0]!);
    expect(file.paths).toEqual(paths);
    expect(file.path).toBe(paths[0]!);
    expect(file.fileSize).toBe(paths.reduce((sum, path) => sum + Bun.file(path).size, 0));
    expect([...file.tensors.keys()]).toEqual(NAMES);
    expect([...file.tensors.values()].map((tensor) => tensor.file)).toEqual([0, 0, 2, 2, 2]);
    for (const [name, { file: number, offset, byteLength }] of file.tensors) {
      const own = Bun.file(file.paths[number]!).slice(offset, offset + byteLength);
      const { offset: before } = whole.tensors.get(name)!;
      const expected = Bun.file(whole.path).slice(before, before + byteLength);
      expect(await own.bytes()).toEqual(await expected.bytes());
    }
    for (const path of paths.slice(1)) {
      const { metadata, ...other } = await readGguf(path);
      expect({ ...other, metadata: file.metadata }).toEqual(file);
      expect(metadata.path).toBe(file.path);
    }
  });

  test.each([32, 64, 8])("gives the bytes of the file that was split, aligned to %d", async (n) => {
    const whole = await writeWhole({ "general.alignment": value.uint32(n) });
    const [path] = await splitModel(whole, at("m"), [3, 2]);
    const digest = await sha256OfChunks(unsplit(await readGguf(path!)));
    expect(digest).toBe(
      new Bun.CryptoHasher("sha256").update(await Bun.file(whole).bytes()).digest("hex"),
    );
  });

  test("put together again is no shard, whatever it is called", async () => {
    const whole = await writeWhole({ "split.no": value.uint16(2), "split.count": value.uint16(0) });
    const named = at("merged-00002-of-00003.gguf");
    renameSync(whole, named);
    expect((await readGguf(named)).paths).toEqual([named]);
  });
});

describe("shards that do not belong together:", () => {
  test("one is missing", async () => {
    const paths = await split();
    rmSync(paths[1]!);
    const expected = {
      code: "FILE_NOT_FOUND",
      message:
        "m-00002-of-00003.gguf: the model is split into 3 files, and there is no number 2. " +
        "Put all of them into one folder.",
    };
    expect(await refusal(paths[0]!)).toEqual(expected as never);
    expect(await refusal(paths[2]!)).toEqual(expected as never);
    rmSync(paths[0]!);
    const { message } = await refusal(paths[2]!);
    expect(message).toContain("m-00001-of-00003.gguf: ");
    expect(message).toContain("no number 1, 2.");
  });

  test("one is cut short", async () => {
    const paths = await split();
    truncateSync(paths[2]!, Bun.file(paths[2]!).size - 32);
    const { code, message } = await refusal(paths[0]!);
    expect(code).toBe("BAD_FILE");
    expect(message).toStartWith("m-00003-of-00003.gguf: ");
    expect(message).toContain('tensor "e"');
  });

  test("one has the name of another", async () => {
    const paths = await split();
    copyFileSync(paths[1]!, paths[2]!);
    const { code, message } = await refusal(paths[0]!);
    expect(code).toBe("BAD_MODEL");
    expect(message).toStartWith(
      "m-00003-of-00003.gguf: its name says shard 3 of 3, but split.no is 1, which makes it shard 2.",
    );
  });

  test("one has another name than its kind", async () => {
    const [path] = await split();
    renameSync(path!, at("first.gguf"));
    const { code, message } = await refusal(at("first.gguf"));
    expect(code).toBe("BAD_MODEL");
    expect(message).toStartWith("first.gguf: this is shard 1 of 3 of a split model");
    expect(message).toContain("-00001-of-00003.gguf to -00003-of-00003.gguf");
    renameSync(at("first.gguf"), at("m-00001-of-00004.gguf"));
    expect((await refusal(at("m-00001-of-00004.gguf"))).message).toContain("this is shard 1 of 3");
  });

  const CASES: readonly [name: string, edit: EditShard, start: string][] = [
    [
      "of a model in more",
      (number, metadata) => number === 2 && metadata.set("split.count", value.uint16(4)),
      "m-00002-of-00003.gguf: its name says shard 2 of 3, but split.count is 4.",
    ],
    [
      "a file that is no shard",
      (number, metadata) => number === 3 && metadata.delete("split.count"),
      "m-00003-of-00003.gguf: its name says shard 3 of 3, but the file is no shard.",
    ],
    [
      "of a model with more tensors",
      (number, metadata) => number === 2 && metadata.set("split.tensors.count", value.int32(6)),
      "m-00002-of-00003.gguf: split.tensors.count is 6, but 5 in m-00001-of-00003.gguf: ",
    ],
    [
      "too few tensors",
      (_, metadata) => metadata.set("split.tensors.count", value.int32(7)),
      "m-00001-of-00003.gguf: its 3 shards have 5 tensors, where split.tensors.count says 7: ",
    ],
    [
      "no number",
      (number, metadata) => number === 2 && metadata.delete("split.no"),
      'm-00002-of-00003.gguf: metadata key "split.no" is missing',
    ],
  ];
  test.each(CASES)("%s", async (_, edit, start) => {
    const [path] = await split(edit);
    const { code, message } = await refusal(path!);
    expect([code, message.slice(0, start.length)]).toEqual(["BAD_MODEL", start]);
  });

  test("two have the same tensor", async () => {
    const paths = await split();
    await splitModel(await writeWhole(), at("other"), [1, 0, 4]);
    copyFileSync(at("other-00003-of-00003.gguf"), paths[2]!);
    const { code, message } = await refusal(paths[0]!);
    expect(code).toBe("BAD_MODEL");
    expect(message).toStartWith(
      'm-00003-of-00003.gguf: tensor "b" is in m-00001-of-00003.gguf too',
    );
  });
});

describe("the name of a shard", () => {
  test("leads to the others", () => {
    expect(shardPaths("a/m-Q8_0-00002-of-00003.gguf").map((path) => basename(path))).toEqual([
      "m-Q8_0-00001-of-00003.gguf",
      "m-Q8_0-00002-of-00003.gguf",
      "m-Q8_0-00003-of-00003.gguf",
    ]);
    expect(parseShardName("m-00002-of-00003.GGUF")).toMatchObject({ number: 2, count: 3 });
  });

  test.each([
    "m.gguf",
    "m-1-of-3.gguf",
    "m-00000-of-00003.gguf",
    "m-00004-of-00003.gguf",
    "m-00001-of-00000.gguf",
    "m-00001-of-99999.gguf",
    "m-00001-of-00003.gguf.json",
    "-00001-of-00003.txt",
  ])("%s is none", (name) => {
    expect(parseShardName(name)).toBeUndefined();
    expect(shardPaths(name)).toEqual([name]);
  });
});
