import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file with these bytes in the temporary folder, for a loader; gone when it is disposed of. */
export function unpackedFile(bytes: Uint8Array): { readonly path: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-"));
  const path = join(folder, "library");
  writeFileSync(path, bytes, { mode: 0o700 });
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
