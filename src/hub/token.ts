import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { huggingFaceHome } from "./folders.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * The user's token for the hub: `HF_TOKEN`, or what `hf auth login` left in `HF_TOKEN_PATH` or in
 * `$HF_HOME/token` (`huggingface_hub/constants.py`). It goes to the hub and nowhere else: to no
 * other address, message or file.
 */
export async function hubToken(around: Surroundings): Promise<string | undefined> {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH } = around.env;
  const path = HF_TOKEN_PATH || join(huggingFaceHome(around), "token");
  const token =
    HF_TOKEN || HUGGING_FACE_HUB_TOKEN || (await readFile(path, "utf8").catch(() => ""));
  const [line = ""] = token.trim().split(/\s/);
  // Another character could not go into a header.
  return /^[\x21-\x7e]+$/.test(line) ? line : undefined;
}
