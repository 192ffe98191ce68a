import { GgufEmbedError } from "../errors.ts";
import { escapeControls } from "../gguf/message.ts";
import { joinNames, missingShards } from "./shards.ts";

/**
 * What a name without a tag prefers: Q8_0, whose vectors are nearly the original's in half the
 * bytes; then floats, the smallest first; then the others, by the error of their weights.
 */
const PREFERRED = [
  ...["Q8_0", "F16", "BF16", "F32"],
  ...["Q6_K", "Q5_K_M", "Q5_K", "Q5_K_S", "Q5_1", "Q5_0"],
  ...["Q4_K_M", "Q4_K", "Q4_K_S", "IQ4_NL", "Q4_1", "IQ4_XS", "Q4_0"],
  ...["Q3_K_L", "Q3_K_M", "Q3_K", "Q3_K_S", "Q2_K"],
] as const;
/** More names than that do not help in a message. */
const LISTED_MAX = 20;

const SHARD = /-\d{5}-of-\d{5}(?=\.gguf$)/i;
const QUANTIZATION =
  /(?:^|[-._/])(I?Q\d+_\w+|TQ\d_\d|(?:MX|NV)FP4\w*|BF16|FP?16|FP?32)(?:-\d{5}-of-\d{5})?\.gguf$/i;
/** What lies beside models and is none, by the names that llama.cpp knows them by. */
const BESIDE = /^(mmproj|imatrix)|[-._](mmproj|imatrix)/i;

/** `Q8_0` of `model-q8_0.gguf`, as far as a file's name tells. */
export function quantizationOf(file: string): string | undefined {
  const found = QUANTIZATION.exec(file)?.[1];
  return found === undefined ? undefined : upper(found);
}

/**
 * Of models, each by one file, the one that a name without a tag means, whatever else there may be
 * elsewhere.
 */
export function firstChoice(models: readonly string[]): string | undefined {
  return clearChoice(tagged(ggufOf(models), PREFERRED[0]));
}

/** Of models, each by one file, the one that `chooseFile` would choose; or undefined. */
export function tryChoose(models: readonly string[], tag: string | undefined): string | undefined {
  return clearChoice(choices(ggufOf(models), tag));
}

/**
 * Of a repository's files the one that a tag means, or no tag: of the preferred formats the first
 * that is there, else the only file. For a split model that is its first shard; one that is whole
 * goes before it. Throws `NO_SUCH_MODEL` with the files to choose from, or with those that a split
 * model lacks.
 *
 * @param where the repository, for messages
 */
export function chooseFile(
  files: readonly string[],
  tag: string | undefined,
  where: string,
): string {
  const models = joinNames(ggufOf(files));
  const file = tryChoose(models, tag);
  if (file !== undefined) return file;
  const found = choices(models, tag);
  const [first] = found;
  if (first === undefined) checkShards(files, tag, where);
  const missing = models.length === 0 ? "there is no .gguf file in it" : `none is named for ${tag}`;
  const problem = first === undefined ? missing : "more than one file would do";
  const advice = models.length === 0 ? "" : `; name one of ${listed(models, where)}`;
  throw new GgufEmbedError("NO_SUCH_MODEL", `${where}: ${escapeControls(problem)}${advice}`);
}

/** The only one, or the only one that is not split. */
function clearChoice(found: readonly string[]): string | undefined {
  const unsplit = found.filter((file) => !SHARD.test(file));
  return [found, unsplit].find(({ length }) => length === 1)?.[0];
}

/** Throws where shards would do if all were there. */
function checkShards(files: readonly string[], tag: string | undefined, where: string): void {
  const [shard] = choices(ggufOf(files), tag);
  const missing = shard === undefined ? undefined : missingShards(shard, files);
  if (shard === undefined || missing === undefined) return;
  const subject = escapeControls(`${where}/${shard}`);
  const problem = `the model is split, and the repository lacks ${escapeControls(missing[0]!)}`;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more of its files` : "";
  throw new GgufEmbedError("NO_SUCH_MODEL", `${subject}: ${problem}${more}`);
}

function ggufOf(files: readonly string[]): string[] {
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
    const stem = upper(file.replace(SHARD, "").replace(/\.gguf$/i, ""));
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
