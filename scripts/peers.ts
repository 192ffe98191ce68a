/**
 * `bun scripts/peers.ts [NAME…]`: installs what ggufembed is compared with, in pinned versions,
 * below `.cache/peers`. Without names, all that this machine can run.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLoudLock } from "./loud-lock.ts";
import { CACHE } from "./paths.ts";
import { llamaCpp, llamaCppAmx } from "./peers-llama.ts";
import { type Log, logToStderr } from "./process.ts";

export interface Peer {
  /** Of its folder. */
  readonly id: string;
  /** In reports. */
  readonly name: string;
  /** Exact versions and flags: another recipe is another installation. */
  readonly recipe: string;
  /** Why this machine cannot run it; undefined where it can. */
  readonly obstacle: () => string | undefined;
  /** Installs into an empty folder, or throws with a reason that says what to do. */
  readonly install: (folder: string, log: Log) => Promise<void>;
  /** The command of its worker, given its folder; `bench/compare/protocol.ts` has what it says. */
  readonly command: (folder: string) => readonly string[];
}

export const PEERS: readonly Peer[] = [llamaCpp, llamaCppAmx];

const FOLDER = join(CACHE, "peers");
const STAMP = "installed.txt";

export function peerFolder({ id }: Peer): string {
  return join(FOLDER, id);
}

export function isInstalled(peer: Peer): boolean {
  const stamp = join(peerFolder(peer), STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === peer.recipe;
}

/** Installs a peer unless it is there in the wanted version. */
export async function ensurePeer(peer: Peer, log: Log = logToStderr): Promise<void> {
  if (isInstalled(peer)) return;
  await mkdir(FOLDER, { recursive: true });
  const folder = peerFolder(peer);
  await withLoudLock(`${folder}.lock`, peer.name, log, async () => {
    if (isInstalled(peer)) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await peer.install(folder, log);
    // Last: an interrupted installation has no stamp.
    await writeFile(join(folder, STAMP), peer.recipe);
  });
}

/** Peers by name or id. Throws for a name that is none. */
export function findPeers(names: readonly string[]): Peer[] {
  return names.map((name) => {
    const found = PEERS.find((peer) => peer.id === name || peer.name === name);
    if (found) return found;
    const known = PEERS.map(({ id }) => id).join(", ");
    throw new Error(`there is no peer ${JSON.stringify(name)}; the peers are ${known}`);
  });
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  for (const peer of names.length > 0 ? findPeers(names) : PEERS) {
    const obstacle = peer.obstacle();
    if (obstacle !== undefined) logToStderr(`${peer.name}: left out, ${obstacle}`);
    else await ensurePeer(peer);
  }
}
