/** node-llama-cpp: llama.cpp under Node, as npm gives it, with its prebuilt libraries. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { runOrThrow } from "../process.ts";
import { missingTools, type Peer } from "./peer.ts";

const VERSION = "3.22.1";
/** Of the packages with libraries, the one without a GPU: that is what is compared. */
const LIBRARIES: Readonly<Record<string, string>> = {
  "linux x64": "@node-llama-cpp/linux-x64",
  "linux arm64": "@node-llama-cpp/linux-arm64",
};
const library = LIBRARIES[`${process.platform} ${process.arch}`];

export const nodeLlamaCpp: Peer = {
  name: "node-llama-cpp",
  installation: {
    id: "node-llama-cpp",
    recipe: `node-llama-cpp ${VERSION}, prebuilt ${library}`,
    obstacle: () =>
      library === undefined ? "no prebuilt library is known" : missingTools(["node", "npm"]),
    async install(folder, log) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "package.json"), "{}\n");
      const npm = ["npm", "install", `--prefix=${folder}`, "--omit=optional", "--ignore-scripts"];
      const packages = [`node-llama-cpp@${VERSION}`, `${library}@${VERSION}`];
      const quiet = ["--no-audit", "--no-fund"];
      await runOrThrow([...npm, ...quiet, ...packages], "node-llama-cpp", log);
    },
  },
  command: (folder) => ["node", join(ROOT, "bench/compare/peers/node-llama-cpp.mjs"), folder],
};
