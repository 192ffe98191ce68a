import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import {
  type AddReport,
  type IndexDocument,
  type IndexSettings,
  openSearchIndex,
  type SearchIndex,
} from "../../index.ts";
import { defineCommand } from "../command.ts";
import { EXIT, UsageError } from "../errors.ts";
import {
  DocumentNames,
  INDEX_OPTION,
  indexToWrite,
  openModelOf,
  requireSource,
} from "../index-file.ts";
import { DocumentReader } from "../input/documents.ts";
import { walk } from "../input/files.ts";
import { MODEL_OPTION, PRECISION_OPTION } from "../model.ts";
import { printOut } from "../output/stdout.ts";
import { Progress } from "../progress.ts";
import { stderrSurface } from "../status-line.ts";
import { complain } from "../terminal.ts";

const MEGABYTE = 2 ** 20;
const STDIN = "-";

export const index = defineCommand({
  name: "index",
  summary: "make documents searchable, or bring them up to date",
  usage: "[-m MODEL] [options] DIR|FILE|-…",
  options: {
    ...MODEL_OPTION,
    ...INDEX_OPTION,
    glob: {
      type: "texts",
      value: "GLOB",
      help: "of folders, only such files; several may be given",
    },
    "no-ignore": { type: "flag", help: "also what .gitignore leaves out" },
    "max-file-mb": { type: "count", value: "N", help: "leave out larger files (default: 1)" },
    name: { type: "text", value: "S", help: "what to call standard input (default: -)" },
    "max-tokens": { type: "count", value: "N", help: "most tokens of a chunk (default: 256)" },
    overlap: { type: "count", value: "N", help: "tokens that chunks repeat (default: none)" },
    dimensions: { type: "count", value: "N", help: "keep the first N components (Matryoshka)" },
    ...PRECISION_OPTION,
    threads: { type: "count", value: "N", help: "worker threads (default: the usable cores)" },
    json: { type: "flag", help: "print the summary as a JSON object" },
  },
  details: `
Of folders, all text files but hidden ones, those that .gitignore leaves out, and node_modules. Run
again, it goes by contents: what is new or changed is read, what is gone leaves the index, and of a
changed file only those chunks go through the model whose text is new. - is standard input, as one
document.

The model, and how chunks and vectors are made, is fixed with the index; -m may be left out then. It
may be interrupted at any time: what is done stays, and the same command goes on from there.`,
  async run({ values, positionals }) {
    if (positionals.length === 0) throw new UsageError("what to index? give DIR, FILE or -");
    const path = indexToWrite(values.index);
    const stored = await storedSettings(path);
    const source = requireSource(values.model, stored);
    const { threads, precision } = values;
    await using model = await openModelOf(source, stored, { threads, precision });
    await using searchIndex = await openSearchIndex({
      path,
      model,
      source,
      maxTokens: values["max-tokens"],
      overlap: values.overlap,
      dimensions: values.dimensions,
    });
    const names = new DocumentNames(path);
    const files = positionals.filter((each) => each !== STDIN).map((each) => resolve(each));
    const known = new Set(searchIndex.documents().map(({ id }) => id));
    // A file that was indexed and is not there any more is no mistake.
    const lost = files.filter((file) => !existsSync(file) && known.has(names.idOf(file)));
    const there = files.filter((file) => !lost.includes(file));
    const walked = walk(there, {
      include: values.glob,
      ignore: !values["no-ignore"],
      bytesMax: (values["max-file-mb"] ?? 1) * MEGABYTE,
    });
    const reader = new DocumentReader(walked, names);
    const stdin = positionals.includes(STDIN) ? (values.name ?? STDIN) : undefined;
    const report = await addAll(searchIndex, reader, stdin);
    const folders = there.filter((file) => statSync(file).isDirectory());
    const gone = reader.gone([...known], folders, values.glob);
    const removed = searchIndex.remove([...gone, ...lost.map((file) => names.idOf(file))]);
    tellSkipped(reader, names);
    await printOut(summaryOf({ ...report, removed }, searchIndex, values.json));
  },
});

/** Without a model: which one it was made with is to be found out. */
async function storedSettings(path: string): Promise<IndexSettings | undefined> {
  if (!existsSync(path)) return undefined;
  await using index = await openSearchIndex({ path, create: false });
  return index.stats().settings;
}

/** Adds what is read; SIGINT and SIGTERM end it between two transactions. */
async function addAll(
  index: SearchIndex,
  reader: DocumentReader,
  stdin: string | undefined,
): Promise<AddReport> {
  const progress = new Progress(reader.size, stderrSurface(false));
  const interrupt = new AbortController();
  const ends = [
    ["SIGINT", EXIT.interrupted],
    ["SIGTERM", EXIT.terminated],
  ] as const;
  let code: number = EXIT.failure;
  for (const [signal, exit] of ends) {
    // Instead of the command line's own, which would leave at once.
    process.removeAllListeners(signal);
    process.once(signal, () => {
      code = exit;
      interrupt.abort();
    });
  }
  try {
    return await index.add(allDocuments(reader, stdin), {
      signal: interrupt.signal,
      onProgress: ({ documents, embedded, tokens }) =>
        progress.update({ done: reader.bytesOf(documents), texts: embedded, tokens }),
    });
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    progress.clear();
    await index.close();
    complain("interrupted; what is done stays, and the same command goes on from there");
    process.exit(code);
  } finally {
    progress.clear();
  }
}

async function* allDocuments(
  reader: DocumentReader,
  stdin: string | undefined,
): AsyncGenerator<IndexDocument> {
  yield* reader.documents();
  if (stdin !== undefined) yield { id: stdin, text: await Bun.stdin.text() };
}

interface Summary extends AddReport {
  readonly removed: number;
}

function summaryOf(report: Summary, index: SearchIndex, isJson: boolean): string {
  const { documents, chunks, bytes, path } = index.stats();
  if (isJson) return `${JSON.stringify({ ...report, documents, chunks, bytes, index: path })}\n`;
  const { added, changed, removed, unchanged, embedded } = report;
  const counts = `${added} added, ${changed} changed, ${removed} removed, ${unchanged} unchanged`;
  const size = `${documents} documents, ${chunks} chunks, ${(bytes / 1e6).toFixed(1)} MB`;
  return `${counts}; ${embedded} chunks embedded\n${path}: ${size}\n`;
}

function tellSkipped({ skipped }: DocumentReader, names: DocumentNames): void {
  for (const [reason, some] of Map.groupBy(skipped, (each) => each.reason)) {
    const files = some.length === 1 ? "1 file" : `${some.length} files`;
    const first = names.pathOf(names.idOf(some[0]!.path));
    complain(`skipped ${files} (${reason}): ${first}${some.length === 1 ? "" : ", …"}`);
  }
}
