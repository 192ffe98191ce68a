import { optional } from "../packages.ts";
import { ResultFolder } from "./folder.ts";
import type { ResultKind, ResultStore } from "./types.ts";

/**
 * A Parquet file for each batch: id, tokens, truncated, fields (JSON), embedding (a list of
 * float32). DuckDB, Polars and Spark read a folder of them as one table.
 */
export async function openParquet(path: string, kind: ResultKind): Promise<ResultStore> {
  const load = () => import("hyparquet-writer");
  const { parquetWriteBuffer } = await optional(load, "hyparquet-writer", "Parquet");
  const folder = await ResultFolder.open(path, "parquet", kind);
  return {
    async write({ rows, ...place }) {
      const buffer = parquetWriteBuffer({
        schema: [
          { name: "root", num_children: 5 },
          { name: "id", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
          { name: "tokens", type: "INT32", repetition_type: "REQUIRED" },
          { name: "truncated", type: "INT32", repetition_type: "REQUIRED" },
          {
            name: "fields",
            type: "BYTE_ARRAY",
            converted_type: "UTF8",
            repetition_type: "REQUIRED",
          },
          {
            name: "embedding",
            converted_type: "LIST",
            repetition_type: "REQUIRED",
            num_children: 1,
          },
          { name: "list", repetition_type: "REPEATED", num_children: 1 },
          { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
        ],
        columnData: [
          { name: "id", data: rows.map(({ id }) => id) },
          { name: "tokens", data: rows.map(({ tokens }) => tokens) },
          { name: "truncated", data: rows.map(({ truncated }) => truncated) },
          { name: "fields", data: rows.map(({ fields }) => fields) },
          { name: "embedding", data: rows.map(({ embedding }) => Array.from(embedding)) },
        ],
        // Components are neither few nor sorted.
        statistics: false,
        codec: "UNCOMPRESSED",
        kvMetadata: [{ key: "ggufembed", value: JSON.stringify(kind) }],
      });
      await folder.put(place, new Uint8Array(buffer));
    },
    async close() {},
  };
}
