import { statSync } from "node:fs";
import { join } from "node:path";
import { type Log, runOrThrow } from "../process.ts";

/** What a package may take on its way to a user. */
export const TARBALL_BYTES_MAX = 3e6;

/** Packs a staged package beside its folder. Throws if the tarball is too large. */
export async function pack(folder: string, log: Log): Promise<string> {
  const tarball = `${folder}.tgz`;
  await packAs(tarball, folder, log);
  const { size } = statSync(tarball);
  if (size > TARBALL_BYTES_MAX) {
    throw new Error(`${tarball} has ${size} bytes, more than ${TARBALL_BYTES_MAX}`);
  }
  return tarball;
}

/** Packs a folder with a package.json, whatever it comes to. */
export async function packAs(tarball: string, folder: string, log: Log): Promise<void> {
  const command = [process.execPath, "pm", "pack", "--ignore-scripts", "--filename", tarball];
  await runOrThrow(command, "packing", log, {}, folder);
}

/** The folder of a package below that of all. */
export function folderOf(packages: string, name: string): string {
  return join(packages, name.replace(/^@/, "").replace("/", "-"));
}
