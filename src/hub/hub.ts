import { becomeTransient, failure, Transient, whatItAnswered } from "../download/response.ts";
import { pause, type Retrying } from "../download/retry.ts";
import { GgufEmbedError } from "../errors.ts";
import { shardPaths } from "../gguf/shard-name.ts";
import { version } from "../system.ts";
import { chooseFile } from "./choose.ts";
import { field, stringField } from "./json.ts";
import { type HubName, isPath, MAIN } from "./name.ts";

const ATTEMPTS_MAX = 3;
const QUESTION_MS_MAX = 30_000;
const REDIRECTS_MAX = 5;
/** The list of a repository with ten thousand files is about a megabyte. */
const ANSWER_BYTES_MAX = 16_000_000;

/** A hub, and who asks. */
export interface Hub extends Retrying {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | undefined;
}

/** One file at one commit, and what its content must be. */
export interface RemoteFile {
  readonly url: string;
  /** Path in the repository. */
  readonly file: string;
  readonly commit: string | undefined;
  /** Undefined where the hub does not say. */
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
}

/**
 * Asks the hub which file a name means, or which shards in order, and what they should contain. The
 * content's SHA-256 and length come in the headers `X-Linked-Etag` and `X-Linked-Size` beside the
 * redirection to where the content is, the commit in `X-Repo-Commit`
 * (`huggingface_hub/constants.py`).
 *
 * Throws `NO_SUCH_MODEL`, `ACCESS_DENIED`, `DOWNLOAD`, or the signal's reason.
 */
export async function locate(hub: Hub, name: HubName): Promise<RemoteFile[]> {
  const { repo } = name;
  if (name.file !== undefined) return describeAll(hub, name, name.revision, name.file);
  const { commit, files } = await listFiles(hub, name);
  const where = name.revision === MAIN ? repo : `${repo}@${encodeURIComponent(name.revision)}`;
  return describeAll(hub, name, commit ?? name.revision, chooseFile(files, name.tag, where));
}

/** All shards at the commit that the first was at. */
async function describeAll(hub: Hub, name: HubName, revision: string, file: string) {
  const found: RemoteFile[] = [];
  for (const shard of shardPaths(file)) {
    found.push(await describe(hub, name, found[0]?.commit ?? revision, shard));
  }
  return found;
}

/** What goes with every request to the hub itself, and never further. */
export function hubHeaders({ token }: Pick<Hub, "token">): Record<string, string> {
  const headers = { "user-agent": `ggufembed/${version}` };
  return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
}

async function listFiles(hub: Hub, name: HubName) {
  const { repo, revision } = name;
  const url = `${hub.endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}`;
  return ask(hub, name, { url, method: "GET" }, async (response) => {
    const answer = parseAnswer(url, await boundedText(response));
    const siblings = field(answer, "siblings");
    if (!Array.isArray(siblings)) throw failure(url, "the hub's answer has no list of files");
    const files = siblings.map((each) => stringField(each, "rfilename"));
    const commit = stringField(answer, "sha");
    // A hub may be anybody's, and the file's path becomes one here.
    return { commit, files: files.filter((file) => file !== undefined).filter(isPath) };
  });
}

async function describe(
  hub: Hub,
  name: HubName,
  revision: string,
  file: string,
): Promise<RemoteFile> {
  const urlAt = (at: string) => {
    const path = file.split("/").map(encodeURIComponent).join("/");
    return `${hub.endpoint}/${name.repo}/resolve/${encodeURIComponent(at)}/${path}`;
  };
  return ask(
    hub,
    { ...name, file },
    { url: urlAt(revision), method: "HEAD" },
    async ({ headers }) => {
      const commit = headers.get("x-repo-commit") ?? undefined;
      // A weak validator's mark does not belong to the digest.
      const etag = (headers.get("x-linked-etag") ?? headers.get("etag") ?? "").replace(/^W\//, "");
      const sha256 = /^"?([0-9a-f]{64})"?$/.exec(etag)?.[1];
      const size = headers.get("x-linked-size") ?? "";
      const bytes = /^\d+$/.test(size) ? Number(size) : undefined;
      // At its commit the content cannot change between the parts of a download.
      return { url: urlAt(commit ?? revision), file, commit, sha256, bytes };
    },
  );
}

interface Question {
  readonly url: string;
  readonly method: "GET" | "HEAD";
}

/** Asks until there is an answer that `read` can read, three times at most. */
async function ask<T>(
  hub: Hub,
  name: HubName,
  question: Question,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    hub.signal?.throwIfAborted();
    try {
      const response = await answerTo(hub, question);
      if (response.status >= 400) throw refusal(hub, name, question.url, response);
      return await read(response);
    } catch (error) {
      hub.signal?.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      if (attempts >= ATTEMPTS_MAX) {
        const advice = "check the connection, or give the path of a file";
        const message = `${error.message} (${attempts} times in a row); ${advice}`;
        throw failure(question.url, message, error);
      }
      await pause(attempts, error, hub);
    }
  }
}

/**
 * The hub's own answer. A repository that was renamed redirects to its new name, which is still
 * the hub; the redirection to where a file's content is goes elsewhere, and is the answer.
 */
async function answerTo(hub: Hub, { url, method }: Question): Promise<Response> {
  const { origin } = new URL(hub.endpoint);
  const timeout = AbortSignal.timeout(QUESTION_MS_MAX);
  const signal = hub.signal ? AbortSignal.any([timeout, hub.signal]) : timeout;
  const headers = { ...hubHeaders(hub), "accept-encoding": "identity" };
  let at = url;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const response = await fetch(at, { method, headers, signal, redirect: "manual" }).catch(
      becomeTransient,
    );
    const location = response.headers.get("location");
    const isRedirect = response.status >= 300 && response.status < 400 && location !== null;
    if (!isRedirect) return response;
    const next = new URL(location, at);
    if (next.origin !== origin || response.headers.has("x-linked-etag")) return response;
    at = next.href;
  }
  throw failure(url, `the hub redirected more than ${REDIRECTS_MAX} times`);
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read().catch(becomeTransient);
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (text.length <= ANSWER_BYTES_MAX) continue;
    await reader.cancel();
    throw failure(response.url, `the hub's answer is longer than ${ANSWER_BYTES_MAX} bytes`);
  }
  return text + decoder.decode();
}

function parseAnswer(url: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(url, "the hub's answer is not JSON; check HF_ENDPOINT", cause);
  }
}

/** An answer from 400 on, by `X-Error-Code` as `huggingface_hub` reads it. Throws `Transient`. */
function refusal(hub: Hub, name: HubName, url: string, response: Response): GgufEmbedError {
  const { repo, revision, file } = name;
  const told = whatItAnswered(response);
  const code = response.headers.get("x-error-code");
  const page = `${hub.endpoint}/${repo}`;
  if (code === "GatedRepo") {
    const own = hub.token === undefined ? "set HF_TOKEN to" : "use the HF_TOKEN of";
    const how = `accept its terms at ${page}, then ${own} an account that did`;
    return new GgufEmbedError("ACCESS_DENIED", `${repo} is gated: ${how}`);
  }
  if (code === "EntryNotFound") return missing(`${repo} has no file ${file}; see ${page}`);
  if (code === "RevisionNotFound") return missing(`${repo} has no revision ${revision}`);
  if (response.status === 403 || isBadToken(response)) {
    const problem = `the hub refuses access to ${repo}`;
    return new GgufEmbedError("ACCESS_DENIED", `${problem}: check the token in HF_TOKEN`);
  }
  // Without a token the hub answers 401 to what is private and to what does not exist alike.
  if (response.status === 401 || response.status === 404) {
    const cure = "check the name; for a private one set HF_TOKEN";
    return missing(`the hub has no repository ${repo}, or hides it; ${cure}`);
  }
  return failure(url, `${told}; try again later`);
}

const isBadToken = ({ headers }: Response) =>
  headers.get("x-error-message") === "Invalid credentials in Authorization header";

const missing = (message: string) => new GgufEmbedError("NO_SUCH_MODEL", message);
