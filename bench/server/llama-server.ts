import { availableParallelism } from "node:os";
import { join } from "node:path";
import { llamaTools } from "../../scripts/peers/llama-tools.ts";
import { ensureInstalled, folderOf } from "../../scripts/peers.ts";
import { median } from "../compare/statistics.ts";
import { clientsAtOnce } from "./clients.ts";
import { startProcess } from "./process.ts";
import { CLIENTS, type Scene } from "./scene.ts";

const ROUNDS = 5;
const SECONDS = 4;
/** How many texts it may have in a batch; the best of them is compared. */
const SLOTS = [8, 16, 64];
const COSINE_MIN = 0.99;

/** The same clients, the same texts, the same model, in turns. */
export async function llamaServer(scene: Scene): Promise<string[]> {
  if (scene.tiny) return ["llama.cpp's server: not asked in a tiny run"];
  const obstacle = llamaTools.obstacle();
  if (obstacle !== undefined) return [`llama.cpp's server: ${obstacle}`];
  await ensureInstalled(llamaTools);
  const slots = await bestSlots(scene);
  await using ours = await startProcess(scene.model);
  await using theirs = await startLlama(scene.model, slots);
  const cosine = await cosineOf(scene, theirs.url);
  if (cosine < COSINE_MIN) throw new Error(`llama.cpp's server gives other vectors: ${cosine}`);
  const ratios: number[] = [];
  const lines = [`  llama.cpp's server: ${slots} slots; cosine of a vector with ours ${cosine}`];
  for (let round = 0; round < ROUNDS; round++) {
    const other = await clientsAtOnce(theirs.url, scene, SECONDS);
    // Its threads go on looking for work: beside them we would have 390 requests/s, not 540.
    theirs.pause(true);
    const mine = await clientsAtOnce(ours.url, scene, SECONDS);
    theirs.pause(false);
    ratios.push(mine.perSecond / other.perSecond);
    lines.push(
      `  ${mine.perSecond.toFixed(0)} requests/s beside ${other.perSecond.toFixed(0)}, ` +
        `p50 ${mine.p50Ms.toFixed(0)} ms beside ${other.p50Ms.toFixed(0)}, by ${mine.by}`,
    );
  }
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  return [
    ...lines,
    `${CLIENTS} clients: ${median(ratios).toFixed(2)} times llama.cpp's server ` +
      `(${low}–${high}; bar: at least 5)`,
  ];
}

async function bestSlots(scene: Scene): Promise<number> {
  let best = { slots: 0, perSecond: 0 };
  for (const slots of SLOTS) {
    await using server = await startLlama(scene.model, slots);
    await clientsAtOnce(server.url, scene, 1);
    const { perSecond } = await clientsAtOnce(server.url, scene, SECONDS / 2);
    if (perSecond > best.perSecond) best = { slots, perSecond };
  }
  return best.slots;
}

interface LlamaProcess extends AsyncDisposable {
  readonly url: string;
  readonly pause: (isPaused: boolean) => void;
}

async function startLlama(model: string, slots: number): Promise<LlamaProcess> {
  const port = freePort();
  const threads = String(availableParallelism());
  // A slot's share of the context is enough for the texts here.
  const sizes = ["-c", String(slots * 256), "-b", "2048", "-ub", "2048", "-np", String(slots)];
  const where = ["--host", "127.0.0.1", "--port", String(port)];
  const program = join(folderOf(llamaTools), "bin/llama-server");
  const child = Bun.spawn(
    [program, "-m", model, "--embeddings", "-t", threads, "-tb", threads, ...sizes, ...where],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  // Else it would wait for a reader.
  const said = child.stderr.text();
  const url = `http://127.0.0.1:${port}/`;
  while (
    !(await fetch(`${url}health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`llama.cpp's server failed: ${await said}`);
    await Bun.sleep(50);
  }
  return {
    url,
    pause: (isPaused) => child.kill(isPaused ? "SIGSTOP" : "SIGCONT"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

function freePort(): number {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const { port } = server;
  server.stop(true);
  return port!;
}

async function cosineOf({ embedder, texts }: Scene, url: string): Promise<number> {
  const body = JSON.stringify({ input: texts[0] });
  const answer = await fetch(`${url}v1/embeddings`, { method: "POST", body });
  const { data } = (await answer.json()) as { data: { embedding: number[] }[] };
  const { embedding } = await embedder.embed(texts[0]!);
  return data[0]!.embedding.reduce((sum, x, i) => sum + x * embedding[i]!, 0);
}
