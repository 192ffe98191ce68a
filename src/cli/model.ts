import { type Embedder, type OpenOptions, open } from "../index.ts";
import { withDownloadBar } from "./download-bar.ts";
import { UsageError } from "./errors.ts";
import { complain } from "./terminal.ts";

/** Names the model for commands that take no `-m`. */
const MODEL_VARIABLE = "GGUFEMBED_MODEL";

/** The option of every command that reads texts. */
export const MODEL_OPTION = {
  model: {
    type: "text",
    short: "m",
    value: "MODEL",
    help: `a .gguf file or a model's name (default: $${MODEL_VARIABLE})`,
  },
} as const;

/** The option of every command that runs a model. */
export const PRECISION_OPTION = {
  precision: {
    type: "choice",
    choices: ["default", "high"],
    help: "high: error near float32's, up to twice the time",
  },
} as const;

/** The model of `-m`, or of the environment. */
export function requireModel(model: string | undefined): string {
  return orFromEnvironment(model, "-m MODEL");
}

/** The model of a command whose only argument it is. */
export function onlyModel(positionals: readonly string[]): string {
  if (positionals.length > 1) {
    throw new UsageError(`takes one MODEL, found ${positionals.length}`);
  }
  return orFromEnvironment(positionals[0], "MODEL");
}

/** The only argument of a command that brings or removes a model. */
export function onlyName(positionals: readonly string[]): string {
  const [name, ...more] = positionals;
  if (name === undefined || name === "") throw new UsageError("which model? give its NAME");
  if (more.length === 0) return name;
  throw new UsageError(`takes one NAME, found ${positionals.length}`);
}

function orFromEnvironment(model: string | undefined, spelling: string): string {
  const found = model ?? process.env[MODEL_VARIABLE];
  if (found !== undefined && found !== "") return found;
  throw new UsageError(
    `which model? give ${spelling}, a .gguf file or a name, or set ${MODEL_VARIABLE}`,
  );
}

/** Opens a model; a bar tells how far its download is, where it needs one. */
export function openModel(model: string, options: OpenOptions): Promise<Embedder> {
  return withDownloadBar((download) => open(model, { ...options, ...download }));
}

/** What looks wrong in a model without stopping it. */
export function warnAbout(warnings: readonly string[]): void {
  for (const warning of warnings) complain(`warning: ${warning}`);
}
