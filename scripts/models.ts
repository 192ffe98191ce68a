import { join } from "node:path";
import { convertFolder } from "../src/convert/index.ts";
import type { QuantizeType, WriteProgress } from "../src/index.ts";
import { ensureFile } from "./cached.ts";
import { fetchMiniLM } from "./minilm.ts";
import { CACHE } from "./paths.ts";
import { formatMegabytes, type Log, logToStderr, withHeartbeat } from "./process.ts";

/** To be raised when the converter writes other files than before. */
const CONVERSION = 2;
const NAME = "all-MiniLM-L6-v2";

/**
 * Path of a real model, all-MiniLM-L6-v2: its float32 weights fetched and converted by our own
 * converter, once. Throws `DOWNLOAD` when the weights cannot be had.
 */
export async function ensureMiniLM(
  type: QuantizeType = "Q8_0",
  cacheDir: string = CACHE,
  log: Log = logToStderr,
): Promise<string> {
  const path = join(cacheDir, "models", `${NAME}-${type}-v${CONVERSION}.gguf`);
  return ensureFile(path, async () => {
    log(`${NAME}: no ${type} file yet`);
    const folder = await fetchMiniLM(cacheDir, log);
    log(`${NAME}: converting its float32 weights to ${type}`);
    let done = "";
    const onProgress = ({ written, total }: WriteProgress) => {
      done = `${formatMegabytes(written)} of ${formatMegabytes(total)}`;
    };
    const note = async () => done;
    await withHeartbeat({ label: "converting", log, note }, () =>
      convertFolder(folder, path, { type, name: NAME, onProgress }),
    );
  });
}
