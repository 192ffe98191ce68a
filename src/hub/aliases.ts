/** A file on the hub that a short name stands for. */
export interface Alias {
  readonly repo: string;
  /** In the repository, at `main`. */
  readonly file: string;
}

/**
 * Short names of well-known models, of architectures that run here. Each repository and file was
 * seen on the model's page or in programs that download it. No two publishers quantise alike, so a
 * name keeps the file that it has.
 */
export const ALIASES: Readonly<Record<string, Alias>> = {
  "embeddinggemma-300m": {
    repo: "ggml-org/embeddinggemma-300M-GGUF",
    file: "embeddinggemma-300M-Q8_0.gguf",
  },
  "all-minilm-l6-v2": {
    repo: "second-state/All-MiniLM-L6-v2-Embedding-GGUF",
    file: "all-MiniLM-L6-v2-Q8_0.gguf",
  },
  "bge-small-en-v1.5": {
    repo: "ggml-org/bge-small-en-v1.5-Q8_0-GGUF",
    file: "bge-small-en-v1.5-q8_0.gguf",
  },
  "bge-base-en-v1.5": {
    repo: "CompendiumLabs/bge-base-en-v1.5-gguf",
    file: "bge-base-en-v1.5-q8_0.gguf",
  },
  "bge-large-en-v1.5": {
    repo: "CompendiumLabs/bge-large-en-v1.5-gguf",
    file: "bge-large-en-v1.5-q8_0.gguf",
  },
  "e5-small-v2": {
    repo: "ggml-org/e5-small-v2-Q8_0-GGUF",
    file: "e5-small-v2-q8_0.gguf",
  },
};

/** A name with a tag means the alias's repository; without one, its file. */
export function findAlias(name: string): Alias | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
}
