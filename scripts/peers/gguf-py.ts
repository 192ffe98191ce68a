/** The reader of GGUF files of llama.cpp's own project, in NumPy: it shares no code with ours. */
import { type Installation, missingTools } from "./peer.ts";
import { installPython } from "./python.ts";

const PACKAGES = ["gguf==0.19.0", "numpy==2.4.6", "PyYAML==6.0.3", "tqdm==4.70.1"];

export const ggufPy: Installation = {
  id: "gguf-py",
  recipe: PACKAGES.join(" "),
  obstacle: () => missingTools(["python3"]),
  install: (folder, log) => installPython(folder, "gguf-py", [{ packages: PACKAGES }], log),
};
