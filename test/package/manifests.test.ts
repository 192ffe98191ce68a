import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { hostPlatform } from "../../scripts/packages/host.ts";
import {
  extensionPackage,
  libraryName,
  PLATFORMS,
  platformNamed,
} from "../../scripts/packages/platforms.ts";
import { mainManifest, nativeManifest, packageName } from "../../scripts/packages/stage.ts";
import { ROOT } from "../../scripts/paths.ts";
import { version } from "../../src/index.ts";

describe("the packages", () => {
  test("have one version, and the main one wants the others at just that", () => {
    const main = mainManifest();
    expect(main.version).toBe(version);
    const wanted = PLATFORMS.map((platform) => [packageName(platform), version]);
    expect(main.optionalDependencies).toEqual({
      ...packageJson.optionalDependencies,
      ...Object.fromEntries(wanted),
    });
    expect(PLATFORMS.map((platform) => nativeManifest(platform).version)).toEqual(
      PLATFORMS.map(() => version),
    );
  });

  test("can be published, and bring nothing but what users need", () => {
    const main = mainManifest();
    for (const field of ["private", "scripts", "devDependencies"]) {
      expect(main).not.toHaveProperty(field);
    }
    // Both for the server alone.
    expect(Object.keys(main.dependencies ?? {})).toEqual(["prom-client", "zod"]);
    // Declarations, what Node finds, and sources, which Bun runs as they are.
    expect(main.files).toEqual([
      "dist/adapters",
      "dist/index.d.ts",
      "dist/queue",
      "dist/unsupported.cjs",
      "src",
    ]);
  });

  test("say for which machines they are", () => {
    expect(PLATFORMS.map((platform) => nativeManifest(platform)).map(fields)).toEqual([
      "@ggufembed/linux-x64-gnu linux x64 glibc",
      "@ggufembed/linux-x64-musl linux x64 musl",
      "@ggufembed/darwin-x64 darwin x64 ",
      "@ggufembed/linux-arm64-gnu linux arm64 glibc",
      "@ggufembed/linux-arm64-musl linux arm64 musl",
      "@ggufembed/darwin-arm64 darwin arm64 ",
    ]);
  });

  test("are those that the library looks for, each by a literal path", () => {
    const source = readFileSync(join(ROOT, "src", "native", "packages.ts"), "utf8");
    const paths = [...source.matchAll(/import\("([^"]+)"/g)].map(([, path]) => path ?? "");
    const files = PLATFORMS.map((each) => `${packageName(each)}/${libraryName(each)}`);
    expect(paths.sort()).toEqual(files.sort());
  });

  test("sqlite-vec's are asked for at one version, and looked for by literal paths too", () => {
    const source = readFileSync(join(ROOT, "src", "sqlite", "extension.ts"), "utf8");
    const paths = [...source.matchAll(/import\("([^"]+)"/g)].map(([, path]) => path ?? "");
    const packages = [...new Set(PLATFORMS.map(extensionPackage))];
    expect(paths.map((path) => path.split("/")[0]!).sort()).toEqual(packages.toSorted());
    expect(Object.keys(packageJson.optionalDependencies)).toEqual(packages.toSorted());
    expect(new Set(Object.values(packageJson.optionalDependencies)).size).toBe(1);
  });

  test("one of them is for this machine", () => {
    const { os, cpu } = hostPlatform();
    expect([os as string, cpu as string]).toEqual([process.platform, process.arch]);
  });

  test("a platform that there is not is refused by name", () => {
    expect(() => platformNamed("plan9-x64")).toThrow(
      "there is no platform plan9-x64; there are linux-x64-gnu, linux-x64-musl,",
    );
  });
});

function fields({ name, os, cpu, libc }: Readonly<Record<string, unknown>>): string {
  return [name, os, cpu, libc].join(" ");
}
