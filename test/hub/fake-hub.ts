/** The commit that `main` means, unless a test says otherwise. */
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export const sha256 = (bytes: Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Made-up content that begins as a GGUF file does, another for each seed. */
export function content(seed: number, length = 50_000): Uint8Array {
  const bytes = new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8) + seed) & 255);
  bytes.set(Buffer.from("GGUF"));
  return bytes;
}

export interface FakeHubOptions {
  /** Files of a repository by its name, and their content. */
  readonly repos?: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>;
  /** The only token that gets at files. */
  readonly token?: string;
  /** Where content is, in place of the server's own. */
  readonly contentUrl?: string;
  /** Headers of the redirection to content in place of the true ones; undefined: without. */
  readonly linked?: Readonly<Record<string, string | undefined>>;
  /** Repositories that have a new name. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Answers of the hub before it does its work. */
  readonly first?: readonly Response[];
}

export interface Request {
  readonly from: "hub" | "cdn";
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly range: string | null;
}

export interface FakeHub extends Disposable {
  readonly endpoint: string;
  readonly requests: readonly Request[];
  /** Content that was asked for. */
  readonly downloads: readonly Request[];
  commit: string;
  repos: NonNullable<FakeHubOptions["repos"]>;
}

/**
 * A hub and, at another address, a server of its content, as far as they concern us: with the
 * paths, redirections and headers of huggingface.co.
 */
export function fakeHub(options: FakeHubOptions = {}): FakeHub {
  const requests: Request[] = [];
  const first = [...(options.first ?? [])];
  const note = (from: Request["from"], { method, url, headers }: globalThis.Request) => {
    const [authorization, range] = [headers.get("authorization"), headers.get("range")];
    requests.push({ from, method, path: new URL(url).pathname, authorization, range });
  };
  const cdn = serve((request) => {
    note("cdn", request);
    const found = findContent(hub.repos, new URL(request.url).pathname.slice(1));
    return found === undefined ? new Response(null, { status: 404 }) : partOf(found, request);
  });
  const server = serve((request) => {
    note("hub", request);
    return first.shift() ?? answer(hub, options, request, `${cdn.url.origin}/`);
  });
  const hub = {
    endpoint: server.url.origin,
    requests,
    get downloads() {
      return requests.filter(({ from }) => from === "cdn");
    },
    commit: COMMIT,
    repos: options.repos ?? {},
    [Symbol.dispose]() {
      server.stop(true);
      cdn.stop(true);
    },
  };
  return hub;
}

function serve(fetch: (request: globalThis.Request) => Response) {
  return Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
}

function findContent(repos: FakeHub["repos"], digest: string): Uint8Array | undefined {
  const all = Object.values(repos).flatMap((files) => Object.values(files));
  return all.find((bytes) => sha256(bytes) === digest);
}

function partOf(bytes: Uint8Array, { headers }: globalThis.Request): Response {
  const etag = `"${sha256(bytes).slice(0, 32)}"`;
  const start = Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "")?.[1] ?? 0);
  if (start === 0) return new Response(new Uint8Array(bytes), { headers: { etag } });
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  const rest = new Uint8Array(bytes.subarray(start));
  return new Response(rest, { status: 206, headers: { etag, "content-range": range } });
}

const refuse = (status: number, code: string, message = "") =>
  new Response(null, { status, headers: { "x-error-code": code, "x-error-message": message } });

function answer(
  hub: FakeHub,
  { token, contentUrl, linked, renamed = {} }: FakeHubOptions,
  { url, headers }: globalThis.Request,
  cdn: string,
): Response {
  const path = decodeURI(new URL(url).pathname);
  const match = /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(revision|resolve)\/([^/]+)\/?(.*)$/.exec(
    path,
  );
  const [, repo = "", kind, encoded = "", file = ""] = match ?? [];
  const target = renamed[repo];
  if (target !== undefined) return redirect(path.replace(repo, target), 307, {});
  const files = hub.repos[repo];
  if (files === undefined) return refuse(401, "RepoNotFound");
  const revision = decodeURIComponent(encoded);
  if (!["main", "v1", "refs/pr/1", hub.commit].includes(revision)) {
    return refuse(404, "RevisionNotFound");
  }
  if (kind === "revision") {
    const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
    return Response.json({ id: repo, sha: hub.commit, siblings });
  }
  const authorization = headers.get("authorization");
  if (token !== undefined && authorization !== `Bearer ${token}`) {
    if (authorization === null) return refuse(401, "GatedRepo");
    return refuse(401, "", "Invalid credentials in Authorization header");
  }
  const bytes = files[file];
  if (bytes === undefined) return refuse(404, "EntryNotFound");
  return redirect(contentUrl ?? `${cdn}${sha256(bytes)}`, 302, {
    "x-repo-commit": hub.commit,
    "x-linked-etag": `"${sha256(bytes)}"`,
    "x-linked-size": String(bytes.length),
    ...linked,
  });
}

function redirect(
  location: string,
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
): Response {
  const response = new Response(null, { status, headers: { location } });
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.headers.set(name, value);
  }
  return response;
}
