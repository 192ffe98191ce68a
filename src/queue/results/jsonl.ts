import { JsonBytes } from "../../vectors/json-bytes.ts";
import { ResultFolder } from "./folder.ts";
import type { ResultKind, ResultRow, ResultStore } from "./types.ts";

export const JSONL = "jsonl";

/**
 * A file of lines for each batch: `{"id":…,"tokens":…,…,"embedding":[…]}`, the other fields of the
 * input beside them, numbers as the shortest decimals that read back as the same float32.
 */
export async function openJsonl(path: string, kind: ResultKind): Promise<ResultStore> {
  const folder = await ResultFolder.open(path, JSONL, kind);
  return {
    async write({ rows, ...place }) {
      const bytes = new JsonBytes();
      for (const row of rows) writeRow(bytes, row);
      await folder.put(place, bytes.view());
    },
    async close() {},
  };
}

/** Names that a line gives a meaning of its own. */
const OWN_FIELDS = new Set(["id", "tokens", "truncated", "embedding"]);

function writeRow(bytes: JsonBytes, { id, tokens, truncated, fields, embedding }: ResultRow): void {
  bytes.text(`{"id":${JSON.stringify(id)},"tokens":${tokens}`);
  if (truncated > 0) bytes.text(`,"truncated":${truncated}`);
  const others = withoutOwn(fields).slice(1, -1);
  if (others !== "") bytes.text(`,${others}`);
  bytes.text(`,"embedding":`).floats(embedding).text("}\n");
}

/** The fields as they are, unless one of them has a name of ours. */
function withoutOwn(fields: string): string {
  const object: Record<string, unknown> = JSON.parse(fields);
  if (!Object.keys(object).some((name) => OWN_FIELDS.has(name))) return fields;
  const others = Object.entries(object).filter(([name]) => !OWN_FIELDS.has(name));
  return JSON.stringify(Object.fromEntries(others));
}
