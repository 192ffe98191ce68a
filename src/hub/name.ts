import { invalidArgument } from "../errors.ts";
import { quote } from "../gguf/message.ts";
import { shardPaths } from "../gguf/shard-name.ts";
import { findAlias } from "./aliases.ts";

/** A repository of the hub, and which of its files. */
export interface HubName {
  readonly kind: "hub";
  /** `organisation/name`. */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Path in the repository; of a split model that of its first shard. */
  readonly file?: string;
  /** Quantisation, where no file is named. */
  readonly tag?: string;
}

/** A file somewhere on the web, or the first shard of a split model. */
export interface UrlName {
  readonly kind: "url";
  readonly url: URL;
}

/** A model that Ollama has. */
export interface OllamaName {
  readonly kind: "ollama";
  /** Below Ollama's `manifests`: registry, namespace, model, tag. */
  readonly path: readonly [host: string, namespace: string, model: string, tag: string];
}

export type ModelName = HubName | UrlName | OllamaName;

export const MAIN = "main";
const OLLAMA_HOST = "registry.ollama.ai";
const OLLAMA_NAMESPACE = "library";

/** What a message says of names. */
export const NAME_FORMS =
  "an alias, ORG/REPO, ORG/REPO:Q8_0, hf:ORG/REPO/FILE.gguf or an https address of a .gguf file";

const HUB_HOSTS: readonly string[] = ["huggingface.co", "www.huggingface.co", "hf.co"];
/** A part of a path that cannot lead elsewhere. */
const SEGMENT = /^(?!\.{1,2}$)[^/\\\p{Cc}]+$/u;
const REPO = /^[A-Za-z0-9_][\w.-]*\/[A-Za-z0-9_][\w.-]*$/;

/**
 * What a model's name means, or undefined for what can only be a path. Throws `INVALID_ARGUMENT`
 * for what can only be a name and is none. Any shard of a split model means all of them.
 *
 * @param endpoint the hub's own address, as `endpointOf` gives it
 */
export function parseName(text: string, endpoint: string): ModelName | undefined {
  if (/^https?:/i.test(text)) return parseAddress(text, endpoint);
  const ollama = /^ollama:(.*)$/s.exec(text)?.[1];
  if (ollama !== undefined) return parseOllama(ollama, text);
  const prefixed = /^(?:hf:(?:\/\/)?|hf\.co\/|huggingface\.co\/)(.*)$/s.exec(text)?.[1];
  if (prefixed !== undefined) {
    const name = parseAlias(prefixed) ?? parseHub(prefixed);
    if (name === undefined) throw notAName(text);
    return name;
  }
  if (/^[.~/]|\.gguf$|[\\\s]/i.test(text)) return undefined;
  return parseAlias(text) ?? parseHub(text);
}

/** The one spelling of a name, which `parseName` takes. */
export function formatName(name: ModelName): string {
  if (name.kind === "url") return `${name.url.origin}${name.url.pathname}`;
  if (name.kind === "ollama") return formatOllama(name.path);
  const revision = name.revision === MAIN ? "" : `@${encodeURIComponent(name.revision)}`;
  const which = name.tag === undefined ? "" : `:${name.tag}`;
  return `hf:${name.repo}${revision}${name.file === undefined ? which : `/${name.file}`}`;
}

/** Whether a revision can only ever mean one content. */
export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

function parseAlias(text: string): HubName | undefined {
  const [name = "", tag, ...more] = text.split(":");
  const alias = findAlias(name);
  if (alias === undefined || more.length > 0) return undefined;
  const { repo, file } = alias;
  const hub = { kind: "hub", repo, revision: MAIN } as const;
  return tag === undefined || tag === "" ? { ...hub, file } : { ...hub, tag };
}

/** `org/repo`, `org/repo@revision`, and after either `:TAG` or `/path/file.gguf`. */
function parseHub(text: string): HubName | undefined {
  const match = /^([^/@:]+\/[^/@:]+)(?:@([^/:]+))?(?::([\w.-]+)|\/(.+))?$/s.exec(text);
  if (match === null) return undefined;
  const [, repo = "", revision = MAIN, tag, file] = match;
  return hubName(repo, decode(revision), tag, file);
}

function hubName(
  repo: string,
  revision: string | undefined,
  tag: string | undefined,
  file: string | undefined,
): HubName | undefined {
  if (!REPO.test(repo) || revision === undefined || !isPath(revision)) return undefined;
  const name = { kind: "hub", repo, revision } as const;
  if (file === undefined) return tag === undefined ? name : { ...name, tag };
  if (!isPath(file) || !isGguf(file)) return undefined;
  return { ...name, file: firstShard(file) };
}

const firstShard = (path: string) => shardPaths(path)[0]!;

/** Whether a path of a repository stays below where it is put. */
export const isPath = (text: string): boolean =>
  text.split("/").every((segment) => SEGMENT.test(segment));
const isGguf = (path: string) => /\.gguf$/i.test(path);

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseAddress(text: string, endpoint: string): ModelName {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw notAName(text);
  const hub = parsePage(url, endpoint);
  if (hub !== undefined) return hub;
  const path = decode(url.pathname);
  if (path !== undefined && isGguf(path) && isPath(path.slice(1))) {
    url.pathname = firstShard(url.pathname);
    return { kind: "url", url };
  }
  const where = `${url.origin}${url.pathname}`;
  throw invalidArgument(`${where} is not the address of a .gguf file: download it and give a path`);
}

/** The hub's own pages: of a repository, and of a file in it. */
function parsePage(url: URL, endpoint: string): HubName | undefined {
  const home = `${endpoint}/`;
  const own = url.href.startsWith(home);
  if (!own && !HUB_HOSTS.includes(url.host)) return undefined;
  const path = own ? url.pathname.slice(new URL(home).pathname.length) : url.pathname.slice(1);
  const [org, repo, kind, revision = MAIN, ...rest] = path
    .replace(/\/$/, "")
    .split("/")
    .map(decode);
  if (kind !== undefined && !["resolve", "blob", "raw", "tree"].includes(kind)) return undefined;
  const file = rest.length === 0 || kind === "tree" ? undefined : rest.join("/");
  return hubName(`${org}/${repo}`, revision, undefined, file);
}

/** `model`, `model:tag`, `namespace/model:tag`, `host/namespace/model:tag`. */
function parseOllama(rest: string, text: string): OllamaName {
  const match = /^([^:]+)(?::([\w.-]+))?$/.exec(rest);
  const [, path = "", tag = "latest"] = match ?? [];
  const parts = path.split("/");
  const model = parts.at(-1) ?? "";
  const namespace = parts.at(-2) ?? OLLAMA_NAMESPACE;
  const host = parts.at(-3) ?? OLLAMA_HOST;
  if (match === null || parts.length > 3 || !isPath(path)) throw notAName(text);
  return { kind: "ollama", path: [host, namespace, model, tag] };
}

function formatOllama([host, namespace, model, tag]: OllamaName["path"]): string {
  if (host !== OLLAMA_HOST) return `ollama:${host}/${namespace}/${model}:${tag}`;
  return `ollama:${namespace === OLLAMA_NAMESPACE ? "" : `${namespace}/`}${model}:${tag}`;
}

function notAName(text: string) {
  return invalidArgument(`${quote(text)} is not a model's name; one is ${NAME_FORMS}`);
}
