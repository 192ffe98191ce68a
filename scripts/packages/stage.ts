import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../paths.ts";
import { libraryName, PLATFORMS, type Platform } from "./platforms.ts";

export const MAIN_PACKAGE = packageJson.name;
export const packageName = ({ name }: Platform) => `@ggufembed/${name}`;

type Manifest = Readonly<Record<string, unknown>>;

/** What both kinds of package say alike. */
const { version, license, engines } = packageJson;

/**
 * package.json of the main package as published. That of the checkout names no native packages: an
 * install there would ask the registry for what may not be published yet.
 */
export function mainManifest(): Manifest {
  const { private: _, scripts: __, devDependencies: ___, ...rest } = packageJson;
  const natives = PLATFORMS.map((platform) => [packageName(platform), version]);
  const optionalDependencies = { ...rest.optionalDependencies, ...Object.fromEntries(natives) };
  return { ...rest, optionalDependencies };
}

export function nativeManifest(platform: Platform): Manifest {
  const { os, cpu, libc } = platform;
  return {
    name: packageName(platform),
    version,
    description: `The native library of ${MAIN_PACKAGE} for ${platform.name}`,
    license,
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc] }),
    files: [libraryName(platform)],
  };
}

/**
 * Lays out the main package in `folder`, or a part of its files. The declarations among them must
 * have been made.
 */
export async function stageMain(folder: string, files = packageJson.files): Promise<void> {
  await stage(folder, mainManifest());
  copyFileSync(join(ROOT, "README.md"), join(folder, "README.md"));
  for (const path of files) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
}

/** Lays out the package of a platform in `folder`, with this library. */
export async function stageNative(
  folder: string,
  platform: Platform,
  library: string,
): Promise<void> {
  await stage(folder, nativeManifest(platform));
  const path = join(folder, libraryName(platform));
  copyFileSync(library, path);
  chmodSync(path, 0o755);
  const about = `The native library of [${MAIN_PACKAGE}](https://www.npmjs.com/package/${MAIN_PACKAGE})`;
  await Bun.write(
    join(folder, "README.md"),
    `# ${packageName(platform)}\n\n${about} for ${platform.name}.\n`,
  );
}

async function stage(folder: string, manifest: Manifest): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await Bun.write(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
}
