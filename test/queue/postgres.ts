import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** Address of a server with pgvector to use instead: tests make tables there. */
const ADDRESS = process.env.TEST_POSTGRES;

/**
 * PostgreSQL with pgvector, compiled to WebAssembly and served on a free port: their own code, in
 * this process. It takes some connections, of which it serves one at a time.
 */
export async function startPostgres(): Promise<AsyncDisposable & { readonly address: string }> {
  if (ADDRESS !== undefined) return { address: ADDRESS, async [Symbol.asyncDispose]() {} };
  const db = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 8 });
  await server.start();
  return {
    address: `postgres://postgres@${server.getServerConn()}/postgres?sslmode=disable`,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await db.close();
    },
  };
}
