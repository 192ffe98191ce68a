import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { architectureNames } from "../../src/arch/index.ts";
import { FLOAT_TYPES, INT8_TYPES } from "../../src/arch/plan.ts";
import { GGML_TYPES } from "../../src/gguf/types.ts";
import { VARIANTS } from "../../src/native/abi.ts";
import {
  anchorsOf,
  codeSpansOf,
  linksOf,
  parseMarkdown,
  ROOT,
  readDocument,
  readDocuments,
  tableRowsOf,
} from "./markdown.ts";

const documents = readDocuments();
const readme = readDocument("README.md");

describe.each(documents)("$path:", (document) => {
  test("every relative link leads to a file, and to a heading in it", () => {
    const broken = linksOf(document).filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? document.path : normalize(join(dirname(document.path), file));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(readDocument(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("every file that it names is there", () => {
    const named = codeSpansOf(document).filter((code) => FILE.test(code));
    const missing = named.filter((code) => !existsSync(join(ROOT, code)) && !matches(code));
    expect(missing).toEqual([]);
  });

  test("every script that it runs is in package.json", () => {
    const texts = [document.prose, ...document.blocks.map(({ text }) => text)];
    const runs = texts.flatMap((text) => [...text.matchAll(RUN)].map(([, name = ""]) => name));
    const unknown = runs.filter(
      (name) => !(name in packageJson.scripts) && !existsSync(join(ROOT, name)),
    );
    expect(unknown).toEqual([]);
  });
});

/** `src/index.ts`, `zig/kernels/*.zig`, `docs/`, `build.zig`, `.ci/run`. */
const FOLDERS = String.raw`src|page|zig|test|scripts|docs|bench|deploy|\.ci|\.github`;
const FILE = new RegExp(`^((${FOLDERS})/[\\w./*-]*|[\\w-]+\\.(zig|json|toml|md))$`);
const matches = (pattern: string) => [...new Bun.Glob(pattern).scanSync(ROOT)].length > 0;
/** `bun run check`, `npx --yes bun@1.4.5 run demo`, `bun run --silent ggufembed`. */
const RUN = /\bbun(?:@[\d.]+)? run (?:--\w+ )*([\w./:-]+)/g;

test("there are documents, and a block that does not end is an error", () => {
  expect(documents.map(({ path }) => path)).toEqual([
    "CONTRIBUTING.md",
    "README.md",
    "docs/api.md",
    "docs/architecture.md",
    "docs/capacity.md",
    "docs/models.md",
    "docs/numbers.md",
    "docs/operations.md",
    "docs/page.md",
    "docs/performance.md",
    "docs/quality.md",
    "docs/queue.md",
    "docs/rerank.md",
    "docs/search.md",
    "docs/soak.md",
  ]);
  expect(parseMarkdown("a\n```sh\nb\n```\nc").blocks).toEqual([
    { language: "sh", text: "b\n", line: 2 },
  ]);
  expect(() => parseMarkdown("```sh\nb\n")).toThrow("line 1: a block that does not end");
});

/** The names in backticks of a row of the README's tables. */
function namesIn(row: string): string[] {
  const cells = tableRowsOf(readme).find(([head]) => head === row);
  return codeSpansOf({ prose: cells?.slice(1).join(" ") ?? "" });
}

describe("README.md names what the code has, no less and no more:", () => {
  test("architectures", () => {
    expect(namesIn("Architectures").sort()).toEqual([...architectureNames].sort());
  });

  test("weight formats", () => {
    const formats = namesIn("Weights").filter((name) => name in GGML_TYPES);
    expect(formats.sort()).toEqual([...INT8_TYPES, ...FLOAT_TYPES].sort());
  });

  test("CPU variants", () => {
    expect(namesIn("CPUs").sort()).toEqual([...VARIANTS].sort());
  });

  test("environment variables of our own", () => {
    const sources = [...new Bun.Glob("{src,scripts}/**/*.ts").scanSync(ROOT)];
    const code = sources.map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
    const used = new Set(code.match(/\bGGUFEMBED_[A-Z_]+\b/g));
    const told = tableRowsOf(readme).flatMap(([head = ""]) => codeSpansOf({ prose: head }));
    expect(told.filter((name) => name.startsWith("GGUFEMBED_")).sort()).toEqual([...used].sort());
  });
});
