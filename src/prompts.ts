import { invalidArgument } from "./errors.ts";
import { quote } from "./gguf/message.ts";
import type { Metadata } from "./gguf/types.ts";
import { findKnownModel, namesIn, TITLE } from "./known-models.ts";

/** What the prompts of a model are found by. */
export interface PromptedModel {
  readonly architecture: string;
  /** `general.name`, or the file's name. */
  readonly name: string;
}

/** The texts that a model was trained to see before its input, by task. */
export interface Prompts {
  /** Tasks that `apply` takes; empty for a model whose prompts are not known. */
  readonly tasks: readonly string[];
  /**
   * What goes before a text for a task, or by a prompt of the caller's own; nothing without either.
   * Throws `INVALID_ARGUMENT` for a task that the model does not have, for a task and a prompt at
   * once, and for a title where the prompt has no place for one.
   */
  prefix(choice: PromptChoice): string;
  /** The same with the place of the title left open: what vectors of one kind have in common. */
  template(choice: Omit<PromptChoice, "title">): string;
}

/** Which prompt a caller wants. */
export interface PromptChoice {
  readonly task?: string | undefined;
  readonly title?: string | undefined;
  readonly prompt?: string | undefined;
}

/** What EmbeddingGemma was trained to see for a document without a title. */
const NO_TITLE = "none";

/** `ggufembed.prompt.<task>` in a file's metadata holds what goes before a text of that task. */
export const PROMPT_KEY_PREFIX = "ggufembed.prompt.";

/**
 * The prompts of a model: those known by its architecture and name, and those that its own file
 * states, which count where both have a task; before them those of `own`.
 */
export function promptsFor(
  model: PromptedModel,
  metadata?: Metadata,
  own: Readonly<Record<string, string>> = {},
): Prompts {
  const names = [model.name, ...(metadata === undefined ? [] : namesIn(metadata))];
  const known = findKnownModel(model.architecture, names);
  const prefixes = new Map(Object.entries(known?.prompts ?? {}));
  for (const [task, prefix] of statedPrompts(metadata)) {
    // A file cannot state a place for the title, which the same prompt may have here.
    if (prefixes.get(task)?.replaceAll(TITLE, NO_TITLE) !== prefix) prefixes.set(task, prefix);
  }
  for (const [task, prefix] of Object.entries(own)) {
    if (typeof prefix !== "string") throw invalidArgument(`prompts.${task} is not a string`);
    prefixes.set(task, prefix);
  }
  const tasks = [...prefixes.keys()];
  const template = ({ task, prompt }: PromptChoice): string => {
    if (prompt !== undefined && task !== undefined) throw twoPrompts(task);
    if (prompt !== undefined) return checkPrompt(prompt);
    if (task === undefined) return "";
    const prefix = prefixes.get(task);
    if (prefix === undefined) throw unknownTask(model, task, tasks);
    return prefix;
  };
  return {
    tasks,
    template,
    prefix(choice) {
      const found = template(choice);
      if (choice.title !== undefined && !found.includes(TITLE)) throw misplacedTitle(prefixes);
      return found.replaceAll(TITLE, () => choice.title || NO_TITLE);
    },
  };
}

function checkPrompt(prompt: string): string {
  if (typeof prompt === "string") return prompt;
  throw invalidArgument(`prompt is ${prompt === null ? "null" : typeof prompt}, not a string`);
}

function twoPrompts(task: string): Error {
  return invalidArgument(
    `the task ${quote(task)} has a prompt, and a prompt was given too; leave one of them out`,
  );
}

function* statedPrompts(metadata: Metadata | undefined): Generator<[task: string, prefix: string]> {
  for (const key of metadata?.entries.keys() ?? []) {
    if (!key.startsWith(PROMPT_KEY_PREFIX)) continue;
    yield [key.slice(PROMPT_KEY_PREFIX.length), metadata?.getString(key) ?? ""];
  }
}

function unknownTask({ name }: PromptedModel, task: string, tasks: readonly string[]): Error {
  const advice =
    tasks.length === 0
      ? "its prompts are not known here. Leave the task out, and put the prefix that the model's " +
        "description asks for into the text."
      : `it has the tasks ${tasks.join(", ")}.`;
  return invalidArgument(`No task ${quote(task)} for the model ${quote(name)}: ${advice}`);
}

function misplacedTitle(prefixes: ReadonlyMap<string, string>): Error {
  const titled = [...prefixes].filter(([, prefix]) => prefix.includes(TITLE));
  const advice =
    titled.length === 0
      ? "this model's prompts have no place for one. Leave it out, or put it into the text."
      : `a title needs the task ${titled.map(([task]) => quote(task)).join(" or ")}.`;
  return invalidArgument(`A title was given, but ${advice}`);
}
