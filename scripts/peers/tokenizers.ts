/** Hugging Face's tokenizers, in Rust under Python. */
import { join } from "node:path";
import { ROOT } from "../paths.ts";
import { GEMMA_TOKENIZER } from "../synth.ts";
import { missingTools, type Peer } from "./peer.ts";
import { installPython, pythonOf } from "./python.ts";

const PACKAGE = "tokenizers==0.23.3";

export const tokenizers: Peer = {
  name: "tokenizers",
  installation: {
    id: "tokenizers",
    recipe: PACKAGE,
    obstacle: () => missingTools(["python3"]),
    install: (folder, log) => installPython(folder, "tokenizers", [{ packages: [PACKAGE] }], log),
  },
  command: (folder) => [pythonOf(folder), join(ROOT, "bench/compare/peers/fast_tokenizer.py")],
  source: () => GEMMA_TOKENIZER,
};
