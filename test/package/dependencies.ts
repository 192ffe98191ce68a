import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { packAs } from "../../scripts/packages/pack.ts";
import { extensionPackage, PLATFORMS, type Platform } from "../../scripts/packages/platforms.ts";
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

/** What has sqlite-vec for each platform; only that of `host` can be fetched. */
export async function packExtensions(folder: string, host: Platform): Promise<Published[]> {
  const versions: Ranges = packageJson.optionalDependencies;
  const published = PLATFORMS.filter(({ libc }) => libc !== "musl").map(async (platform) => {
    const name = extensionPackage(platform);
    const { os, cpu } = platform;
    const manifest = { name, version: versions[name], os: [os], cpu: [cpu] };
    if (name !== extensionPackage(host)) return { manifest };
    // Its own package.json is one that npm packs and Bun does not.
    const staged = join(folder, name);
    cpSync(join(ROOT, "node_modules", name), staged, { recursive: true });
    writeFileSync(join(staged, "package.json"), JSON.stringify(manifest));
    const tarball = `${staged}.tgz`;
    await packAs(tarball, staged, () => {});
    return { manifest, tarball };
  });
  return await Promise.all(published);
}
