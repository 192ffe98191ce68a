import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { packAs } from "../../scripts/packages/pack.ts";
import { ROOT } from "../../scripts/paths.ts";
import type { Published } from "./registry.ts";

type Ranges = Readonly<Record<string, string>>;

/**
 * What the main package depends on, and what that does, packed into `folder` from our own
 * node_modules. Throws where the version there is not one that was asked for.
 */
export async function packDependencies(folder: string): Promise<Published[]> {
  const packed = new Map<string, Published>();
  const visit = async (who: string, ranges: Ranges): Promise<void> => {
    for (const [name, range] of Object.entries(ranges)) {
      const source = join(ROOT, "node_modules", name);
      const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
      if (!Bun.semver.satisfies(manifest.version, range)) {
        throw new Error(`${who} wants ${name} ${range}, found ${manifest.version}`);
      }
      if (packed.has(name)) continue;
      const tarball = join(folder, `${name.replace("/", "-")}.tgz`);
      packed.set(name, { manifest, tarball });
      await packAs(tarball, source, () => {});
      await visit(name, manifest.dependencies ?? {});
    }
  };
  await visit(packageJson.name, packageJson.dependencies);
  return [...packed.values()];
}
