import { Database } from "bun:sqlite";

/** All that an index holds, whatever order it came in: to the last bit of each vector. */
export function contentsOf(path: string): unknown[][] {
  const database = new Database(path, { readonly: true });
  try {
    const rows = database
      .query(
        `SELECT name, documents.hash, metadata, position, first, last, line, line_end,
                passages.hash, text, vector, code
         FROM documents LEFT JOIN chunks ON document = documents.id
         LEFT JOIN passages ON passages.id = passage LEFT JOIN vectors ON vectors.id = passage
         LEFT JOIN codes ON codes.id = passage ORDER BY name, position`,
      )
      .values();
    return rows.map((row) => row.map((cell) => (cell instanceof Uint8Array ? cell.toHex() : cell)));
  } finally {
    database.close();
  }
}

/** Rows of a table, which may be of use to nobody any more. */
export function countOf(path: string, table: string): number {
  const database = new Database(path, { readonly: true });
  try {
    return (database.query(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
  } finally {
    database.close();
  }
}
