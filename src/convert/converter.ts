import type { MetadataEntry } from "../gguf/types.ts";
import type { ModelFolder } from "./folder.ts";
import type { TensorPlan } from "./tensor.ts";

/** What one architecture's converter makes of a folder. */
export interface Conversion {
  /** Everything but `general.*`, in the order of the file. */
  readonly metadata: readonly (readonly [key: string, entry: MetadataEntry])[];
  readonly tensors: readonly TensorPlan[];
}

/** One architecture: reads a folder's settings and says which tensor goes where. */
export interface Converter {
  /** `general.architecture` in GGUF. */
  readonly name: string;
  /** Classes of Hugging Face transformers, in `architectures` of `config.json`. */
  readonly classes: readonly string[];
  /** Whether GGUF has the model's dense layers. */
  readonly hasDense?: true;
  /** Throws `BAD_MODEL` or `UNSUPPORTED`, naming the file and what was expected. */
  convert(folder: ModelFolder): Promise<Conversion>;
}
