import { type Embedder, type OpenOptions, open } from "../../src/index.ts";
import type { RequestRecord } from "../../src/server/log.ts";
import { Models } from "../../src/server/models.ts";
import { openServedIndex } from "../../src/server/served-index.ts";
import { EmbeddingServer } from "../../src/server/server.ts";
import { DEFAULTS, type ServerSettings } from "../../src/server/settings.ts";

export interface Started extends AsyncDisposable {
  readonly url: string;
  readonly server: EmbeddingServer;
  /** The same model as the server's, opened once more. */
  readonly embedder: Embedder;
  /** The server's own. */
  readonly served: Embedder;
  readonly log: readonly RequestRecord[];
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
}

/** A server on a free port, warm, with one model. */
export async function startServer(
  path: string,
  settings: Partial<ServerSettings> = {},
  options: OpenOptions = {},
  indexPath?: string,
): Promise<Started> {
  const served = await open(path, options);
  const log: RequestRecord[] = [];
  const all = { ...DEFAULTS, port: 0, ...settings };
  const models = new Models([{ source: path, embedder: served }]);
  const index = indexPath === undefined ? undefined : await openServedIndex(indexPath, models);
  const server = EmbeddingServer.start(all, models, (record) => log.push(record), index);
  await server.warmUp();
  const embedder = await open(path);
  const url = server.url.href;
  return {
    url,
    server,
    embedder,
    served,
    log,
    post: (route, body, init) =>
      fetch(new URL(route, url), {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
      }),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await embedder.close();
    },
  };
}
