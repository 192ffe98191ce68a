/**
 * `bun scripts/peers.ts [NAME…]`: installs what ggufembed is compared with, in pinned versions,
 * below `.cache/peers`. Without names, all that this machine can run.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLoudLock } from "./loud-lock.ts";
import { CACHE } from "./paths.ts";
import { llamaCpp, llamaCppAmx } from "./peers/llama-cpp.ts";
import { onnxRuntime, sentenceTransformers } from "./peers/minilm.ts";
import { nodeLlamaCpp } from "./peers/node-llama-cpp.ts";
import type { Installation, Installed, Peer } from "./peers/peer.ts";
import { tokenizers } from "./peers/tokenizers.ts";
import { type Log, logToStderr } from "./process.ts";

export const PEERS: readonly Peer[] = [
  llamaCpp,
  llamaCppAmx,
  nodeLlamaCpp,
  onnxRuntime,
  sentenceTransformers,
  tokenizers,
];

const FOLDER = join(CACHE, "peers");
const STAMP = "installed.txt";

export function folderOf({ id }: Installation): string {
  return join(FOLDER, id);
}

export function isInstalled(installation: Installation): boolean {
  const stamp = join(folderOf(installation), STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === installation.recipe;
}

/** Installs what is not there in the wanted version. */
export async function ensureInstalled(
  installation: Installation,
  log: Log = logToStderr,
): Promise<void> {
  if (isInstalled(installation)) return;
  await mkdir(FOLDER, { recursive: true });
  const folder = folderOf(installation);
  await withLoudLock(`${folder}.lock`, installation.id, log, async () => {
    if (isInstalled(installation)) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await installation.install(folder, log);
    // Last: an interrupted installation has no stamp.
    await writeFile(join(folder, STAMP), installation.recipe);
  });
}

/** Installs a peer if need be. Throws with the reason why this machine cannot have it. */
export async function bringPeer({ installation, command, source }: Peer): Promise<Installed> {
  const obstacle = installation.obstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  await ensureInstalled(installation);
  const folder = folderOf(installation);
  return {
    build: installation.recipe,
    command: command(folder),
    source: async (path) => (await source?.(folder)) ?? path,
  };
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  for (const peer of PEERS) {
    if (names.length > 0 && !names.includes(peer.name)) continue;
    try {
      await bringPeer(peer);
    } catch (error) {
      logToStderr(`${peer.name}: ${error instanceof Error ? error.message : error}`);
      // Who asks for it by name wants it.
      if (names.length > 0) process.exitCode = 1;
    }
  }
}
