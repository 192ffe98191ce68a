import type { Redis } from "ioredis";
import type { QueueSettings } from "./types.ts";

/*
 * What BullMQ does not keep, beside its keys:
 *
 * ledger   batch → its number of texts, or "done". BullMQ forgets batches that are done, because
 *          their texts would fill Redis; some 60 bytes of each remain, so that none is done twice.
 * counts   texts, done, tokens
 * contract settings, fingerprint, model: what all vectors of the queue have in common
 *
 * Each change is one script, so that it happens whole or not at all, however a process ends.
 */

/** Keeps the first value of a field of the contract, and tells which that is. */
const KEEP = `
  redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
  return redis.call('HGET', KEYS[1], ARGV[1])`;

/** Enters batches; tells of each whether it is new, known or done. */
const ENTER = `
  local told = {}
  for i = 1, #ARGV, 2 do
    if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
      redis.call('HINCRBY', KEYS[2], 'texts', ARGV[i + 1])
      told[#told + 1] = 'new'
    elseif redis.call('HGET', KEYS[1], ARGV[i]) == 'done' then
      told[#told + 1] = 'done'
    else
      told[#told + 1] = 'known'
    end
  end
  return told`;

/** Whether a batch is still to be done, and by vectors of this kind. */
const BEGIN = `
  redis.call('HSETNX', KEYS[2], 'fingerprint', ARGV[2])
  if redis.call('HGET', KEYS[2], 'fingerprint') ~= ARGV[2] then return 'other' end
  if redis.call('HGET', KEYS[1], ARGV[1]) == 'done' then return 'done' end
  return 'open'`;

/** A batch is done; whoever comes second changes nothing. */
const SETTLE = `
  if redis.call('HGET', KEYS[1], ARGV[1]) == 'done' then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], 'done')
  redis.call('HINCRBY', KEYS[2], 'done', ARGV[2])
  redis.call('HINCRBY', KEYS[2], 'tokens', ARGV[3])
  return 1`;

export type Entry = "new" | "known" | "done";

/** Which batches there are and what became of them. */
export class Ledger {
  readonly #client: Redis;
  readonly #ledger: string;
  readonly #counts: string;
  readonly #contract: string;

  /** @param keyOf - gives a name of ours its place among the queue's keys */
  constructor(client: Redis, keyOf: (name: string) => string) {
    this.#client = client;
    this.#ledger = keyOf("ledger");
    this.#counts = keyOf("counts");
    this.#contract = keyOf("contract");
  }

  /** Settles what the queue's vectors have in common, if nobody has; gives what it is. */
  async keepSettings(settings: QueueSettings): Promise<QueueSettings> {
    return JSON.parse(await this.#keep("settings", JSON.stringify(settings)));
  }

  async settings(): Promise<QueueSettings | undefined> {
    const json = await this.#client.hget(this.#contract, "settings");
    return json === null ? undefined : JSON.parse(json);
  }

  /** Settles the model, if nobody has; gives the fingerprint and the name that there are. */
  async keepModel(
    fingerprint: string,
    name: string,
  ): Promise<{ fingerprint: string; name: string }> {
    const kept = await this.#keep("fingerprint", fingerprint);
    if (kept !== fingerprint) {
      return { fingerprint: kept, name: (await this.#client.hget(this.#contract, "model")) ?? "" };
    }
    return { fingerprint, name: await this.#keep("model", name) };
  }

  async model(): Promise<{ fingerprint: string | undefined; name: string | undefined }> {
    const found = await this.#client.hmget(this.#contract, "fingerprint", "model");
    return { fingerprint: found[0] ?? undefined, name: found[1] ?? undefined };
  }

  async enter(batches: readonly { readonly id: string; readonly texts: number }[]) {
    const args = batches.flatMap(({ id, texts }) => [id, texts]);
    const told = await this.#client.eval(ENTER, 2, this.#ledger, this.#counts, ...args);
    return told as Entry[];
  }

  /** Enters a part of a batch, a text that is counted already; gives whether it is still open. */
  async enterPart(id: string): Promise<boolean> {
    return (await this.#client.eval(KEEP, 1, this.#ledger, id, 1)) !== "done";
  }

  async begin(id: string, fingerprint: string): Promise<"open" | "done" | "other"> {
    const keys = [this.#ledger, this.#contract];
    return (await this.#client.eval(BEGIN, 2, ...keys, id, fingerprint)) as
      | "open"
      | "done"
      | "other";
  }

  /** Whether it was this call that settled the batch. */
  async settle(id: string, done: number, tokens: number): Promise<boolean> {
    const keys = [this.#ledger, this.#counts];
    return (await this.#client.eval(SETTLE, 2, ...keys, id, done, tokens)) === 1;
  }

  async counts(): Promise<{ texts: number; done: number; tokens: number }> {
    const found = await this.#client.hmget(this.#counts, "texts", "done", "tokens");
    const [texts = 0, done = 0, tokens = 0] = found.map(Number);
    return { texts, done, tokens };
  }

  /** Texts of these batches, of those that are not done. */
  async textsOf(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const found = await this.#client.hmget(this.#ledger, ...ids);
    return found.reduce((sum, each) => sum + (Number(each) || 0), 0);
  }

  async clear(): Promise<void> {
    await this.#client.del(this.#ledger, this.#counts, this.#contract);
  }

  async #keep(field: string, value: string): Promise<string> {
    return String(await this.#client.eval(KEEP, 1, this.#contract, field, value));
  }
}
