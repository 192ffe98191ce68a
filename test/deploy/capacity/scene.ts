import { readFileSync } from "node:fs";
import { join } from "node:path";
import { USUAL } from "../../../bench/models.ts";
import { clientsAtOnce } from "../../../bench/server/clients.ts";
import { makeTextsOfTokens } from "../../../bench/texts.ts";
import { ensureSynth } from "../../../scripts/synth.ts";
import { open } from "../../../src/index.ts";
import { type Instance, startInstances } from "../nginx/instance.ts";
import { type Nginx, startNginx } from "../nginx/start.ts";
import { BULK_TOKENS } from "./figures.ts";

const TEXTS = 256;
/** Texts of a large request. */
export const BULK_TEXTS = 32;
const BULK_CLIENTS = 4;

/** What every measure needs. */
export interface Scene {
  readonly folder: string;
  readonly model: string;
  /** Of `USUAL` tokens. */
  readonly texts: readonly string[];
  /** Of `BULK_TOKENS` tokens. */
  readonly paragraphs: readonly string[];
}

export async function makeScene(folder: string): Promise<Scene> {
  const model = await ensureSynth("full");
  await using embedder = await open(model);
  const count = (text: string) => embedder.tokenize(text).length;
  const texts = makeTextsOfTokens(TEXTS, USUAL, 1, count);
  const paragraphs = makeTextsOfTokens(TEXTS, BULK_TOKENS, 2, count);
  return { folder, model, texts, paragraphs };
}

interface Setup extends AsyncDisposable {
  readonly instances: readonly Instance[];
  readonly nginx: Nginx;
}

/** Instances of the scene's model behind nginx. */
export async function setUp(scene: Scene, count: number, threads: number): Promise<Setup> {
  const args = ["--threads", String(threads), "--max-items", "4096"];
  const instances = await startInstances(count, scene.model, args);
  const folder = join(scene.folder, `nginx-${count}x${threads}`);
  const nginx = await startNginx({ folder, instances: instances.map(({ host }) => host) });
  return {
    instances,
    nginx,
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await instances[Symbol.asyncDispose]();
    },
  };
}

/** Tokens a second of a few clients that send large requests. */
export async function bulk(url: string, { paragraphs }: Scene, seconds: number): Promise<number> {
  const start = performance.now();
  let tokens = 0;
  const client = async (first: number) => {
    for (let i = first; performance.now() - start < seconds * 1000; i += BULK_CLIENTS) {
      const at = (i * BULK_TEXTS) % paragraphs.length;
      const input = paragraphs.slice(at, at + BULK_TEXTS);
      const { usage } = JSON.parse(await embed(url, input, "base64")) as Answer;
      tokens += usage.prompt_tokens;
    }
  };
  await Promise.all(Array.from({ length: BULK_CLIENTS }, (_, i) => client(i)));
  return (tokens / (performance.now() - start)) * 1000;
}

interface Answer {
  readonly usage: { readonly prompt_tokens: number };
}

/** Requests a second of 64 clients that send a text at a time. */
export async function single(url: string, scene: Scene, seconds: number): Promise<number> {
  return (await clientsAtOnce(url, scene, seconds)).perSecond;
}

/** The answer as text. Throws where it is none. */
export async function embed(
  url: string,
  input: string | readonly string[],
  encoding: "base64" | "float",
): Promise<string> {
  const body = JSON.stringify({ input, encoding_format: encoding });
  const response = await fetch(`${url}v1/embeddings`, { method: "POST", body });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Resident memory of a process. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}
