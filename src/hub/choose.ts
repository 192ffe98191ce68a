import { GgufEmbedError } from "../errors.ts";
import { escapeControls } from "../gguf/message.ts";

/** What a name without a tag prefers: of what runs fast here, the nearest to the original. */
const PREFERRED = ["Q8_0", "F16", "BF16", "F32"] as const;
/** More names than that do not help in a message. */
const LISTED_MAX = 20;

const SHARD = /-\d{5}-of-(\d{5})\.gguf$/i;
const QUANTIZATION =
  /(?:^|[-._/])(I?Q\d+_\w+|TQ\d_\d|(?:MX|NV)FP4\w*|BF16|FP?16|FP?32)(?:-\d{5}-of-\d{5})?\.gguf$/i;
/** What lies beside models and is none, by the names that llama.cpp knows them by. */
const BESIDE = /^(mmproj|imatrix)|[-._](mmproj|imatrix)/i;

/** Whether a file holds one part of a model. */
export const isShard = (file: string): boolean => SHARD.test(file);

/** `Q8_0` of `model-q8_0.gguf`, as far as a file's name tells. */
export function quantizationOf(file: string): string | undefined {
  const found = QUANTIZATION.exec(file)?.[1];
  return found === undefined ? undefined : upper(found);
}

/** The file that a name without a tag means, whatever else there may be elsewhere. */
export function firstChoice(files: readonly string[]): string | undefined {
  return onlyOne(tagged(modelsOf(files), PREFERRED[0]));
}

/** As `chooseFile`, or undefined where that throws. */
export function tryChoose(files: readonly string[], tag: string | undefined): string | undefined {
  return onlyOne(choices(modelsOf(files), tag).filter((file) => !isShard(file)));
}

/**
 * The file that a tag means, or no tag: of the preferred formats the first that is there, else the
 * only file. Throws `NO_SUCH_MODEL` with the files to choose from, `UNSUPPORTED` where a model is
 * split over several.
 *
 * @param where the repository, for messages
 */
export function chooseFile(
  files: readonly string[],
  tag: string | undefined,
  where: string,
): string {
  const file = tryChoose(files, tag);
  if (file !== undefined) return file;
  const models = modelsOf(files);
  const found = choices(models, tag);
  const [first] = found;
  if (first !== undefined && found.every(isShard)) throw shardError(`${where}/${first}`);
  const missing = models.length === 0 ? "there is no .gguf file in it" : `none is named for ${tag}`;
  const problem = first === undefined ? missing : "more than one file would do";
  const advice = models.length === 0 ? "" : `; name one of ${listed(models, where)}`;
  throw new GgufEmbedError("NO_SUCH_MODEL", `${where}: ${escapeControls(problem)}${advice}`);
}

const onlyOne = (files: readonly string[]) => (files.length === 1 ? files[0] : undefined);

export function shardError(file: string): GgufEmbedError {
  const parts = Number(SHARD.exec(file)?.[1]);
  const advice = "join them with llama.cpp's llama-gguf-split --merge, or take a smaller file";
  const message = `the model is split into ${parts} files, and this version takes one; ${advice}`;
  return new GgufEmbedError("UNSUPPORTED", `${escapeControls(file)}: ${message}`);
}

function modelsOf(files: readonly string[]): string[] {
  return files.filter((file) => {
    return /\.gguf$/i.test(file) && !BESIDE.test(file.slice(file.lastIndexOf("/") + 1));
  });
}

function choices(models: readonly string[], tag: string | undefined): readonly string[] {
  if (tag !== undefined) return tagged(models, tag);
  return PREFERRED.map((each) => tagged(models, each)).find(({ length }) => length > 0) ?? models;
}

/** Files whose names end in the tag, with something before it that is no letter. */
function tagged(models: readonly string[], tag: string): string[] {
  const wanted = upper(tag);
  return models.filter((file) => {
    const stem = upper(file.replace(SHARD, ".gguf").replace(/\.gguf$/i, ""));
    return stem.endsWith(wanted) && /^$|[-._/]$/.test(stem.slice(0, -wanted.length));
  });
}

/** Upper case, and `F16` for `FP16`. */
const upper = (text: string) => text.toUpperCase().replace(/(^|[-._/])FP(16|32)$/, "$1F$2");

function listed(models: readonly string[], where: string): string {
  const names = models.slice(0, LISTED_MAX).map((file) => `${where}/${escapeControls(file)}`);
  const more = models.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
