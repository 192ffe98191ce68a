import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Published {
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Path of what an install fetches. */
  readonly tarball?: string;
}

/** A package registry on this machine that has these packages, and nothing else. */
export class Registry implements Disposable {
  readonly address: string;
  /** Names of the packages whose tarballs were fetched. */
  readonly fetched = new Set<string>();
  readonly #packages: ReadonlyMap<string, Published>;
  readonly #server: ReturnType<typeof Bun.serve>;

  constructor(packages: readonly Published[]) {
    this.#packages = new Map(packages.map((each) => [String(each.manifest.name), each]));
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => this.#answer(decodeURIComponent(new URL(url).pathname.slice(1))),
    });
    this.address = `http://127.0.0.1:${this.#server.port}/`;
  }

  #answer(path: string): Response {
    const [, wanted, isTarball] = /^(.*?)(\/-\/package\.tgz)?$/.exec(path) ?? [];
    const found = this.#packages.get(wanted ?? "");
    if (found === undefined) return new Response("no such package", { status: 404 });
    if (isTarball === undefined) return Response.json(this.#describe(wanted ?? "", found));
    this.fetched.add(wanted ?? "");
    if (found.tarball === undefined) return new Response("not built", { status: 404 });
    return new Response(readFileSync(found.tarball));
  }

  #describe(name: string, { manifest, tarball: path }: Published) {
    const tarball = `${this.address}${name}/-/package.tgz`;
    const bytes = path === undefined ? "" : readFileSync(path);
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const version = String(manifest.version);
    const versions = { [version]: { ...manifest, dist: { tarball, integrity } } };
    return { name, "dist-tags": { latest: version }, versions };
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
