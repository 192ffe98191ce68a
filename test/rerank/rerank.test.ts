import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildModel } from "../../src/arch/index.ts";
import { string } from "../../src/gguf/values.ts";
import { type Embedder, open } from "../../src/index.ts";
import { Pairs } from "../../src/rerank/pairs.ts";
import { atOnce } from "../../src/scheduler/turns.ts";
import { createTokenizer } from "../../src/tokenizer/index.ts";
import { edit } from "../arch/edit.ts";
import { tinyModel } from "../engine/tiny-model.ts";
import { failure } from "../failure.ts";
import { thrown } from "../gguf/rejection.ts";
import { interpret } from "../reference/interpret.ts";
import { ReferenceTensors } from "../reference/tensors.ts";

const QUERY = "the cat";
const DOCUMENTS = ["a dog ran", "the cat sat on the mat", "", "the cat sat", "a dog ran"];
const CLASSIFIER = { architecture: "bert", type: "F32", reranker: true } as const;
const bert = tinyModel(CLASSIFIER);
const xlmr = tinyModel({ ...CLASSIFIER, tokenTypes: 1 });
const coarse = tinyModel({ ...CLASSIFIER, type: "Q8_0" });
const judge = tinyModel({
  architecture: "qwen3",
  type: "F32",
  reranker: true,
  shape: { context: 512 },
});
const plain = tinyModel({ architecture: "bert", type: "F32" });

const MODELS = { bert, "one token type": xlmr, Q8_0: coarse, qwen3: judge };

for (const [name, model] of Object.entries(MODELS)) {
  test(`${name}: scores of the plan, best first, the same alone and together`, async () => {
    await using reranker = await open(model.path, { threads: 2 });
    const results = await reranker.rerank(QUERY, DOCUMENTS);
    expect(results.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3, 4]);
    const { plan, reranker: kind } = buildModel(model.file!);
    const { contextLength, typeCount } = plan;
    const tokenizer = createTokenizer(model.file!.metadata);
    const about = { kind: kind!, tokenizer, contextLength, typeCount };
    const pairs = new Pairs(model.file!.metadata, about);
    const query = pairs.query(QUERY);
    const tensors = new ReferenceTensors(model.file!);
    for (const [place, { index, raw, score, tokens, truncated }] of results.entries()) {
      const { ids } = atOnce(pairs.steps(query, DOCUMENTS[index]!, index, "error"));
      expect(tokens).toBe(ids.length);
      expect(truncated).toBe(0);
      const [logits] = interpret(plan, tensors, [ids], { int8: true });
      const yes = 1 / (1 + Math.exp(logits![1]! - logits![0]!));
      expect(raw).toBeCloseTo(name === "qwen3" ? yes : logits![0]!, name === "Q8_0" ? 3 : 5);
      expect(score).toBe(name === "qwen3" ? raw : 1 / (1 + Math.exp(-raw)));
      const [alone] = await reranker.rerank(QUERY, [DOCUMENTS[index]!]);
      expect(alone!.raw).toBe(raw);
      const before = results[place - 1];
      if (before === undefined) continue;
      expect(before.raw > raw || (before.raw === raw && before.index < index)).toBeTrue();
    }
    const raws = new Set(results.map(({ raw }) => raw));
    // Two documents are the same.
    expect(raws.size).toBe(DOCUMENTS.length - 1);
  });
}

describe("a pair", () => {
  const idsOf = (model: typeof bert, isTyped: boolean, query: string, document: string) => {
    const tokenizer = createTokenizer(model.file!.metadata);
    const typeCount = isTyped ? 2 : 1;
    const about = { kind: "classifier", tokenizer, contextLength: 64, typeCount } as const;
    const pairs = new Pairs(model.file!.metadata, about);
    return [...atOnce(pairs.steps(pairs.query(query), document, 0, "end")).ids];
  };

  test("has the document's type from behind the query's separator on", () => {
    const tokenizer = createTokenizer(bert.file!.metadata);
    const [cls, separator] = [tokenizer.prefix[0]!, tokenizer.suffix[0]!];
    const [query, document] = [tokenizer.encode("cat"), tokenizer.encode("dog")];
    const typed = [...document, separator].map((id) => id + tokenizer.vocabSize);
    expect(idsOf(bert, true, "cat", "dog")).toEqual([cls, ...query, separator, ...typed]);
    const untyped = [cls, ...query, separator, ...document, separator];
    expect(idsOf(bert, false, "cat", "dog")).toEqual(untyped);
  });

  test("has RoBERTa's separator twice between the two", () => {
    const { metadata } = bert.file!;
    const wordPiece = createTokenizer(metadata);
    const { prefix, suffix, vocabSize } = wordPiece;
    const encode = (text: string) => wordPiece.encode(text);
    // Only its kind counts here, not what it makes of a text.
    const tokenizer = { ...wordPiece, model: "t5", prefix, suffix, vocabSize, encode };
    const about = { kind: "classifier", tokenizer, contextLength: 64, typeCount: 1 } as const;
    const pairs = new Pairs(metadata, about);
    const { ids } = atOnce(pairs.steps(pairs.query("cat"), "dog", 0, "end"));
    const expected = [prefix, encode("cat"), suffix, suffix, encode("dog"), suffix];
    expect([...ids]).toEqual(expected.flatMap((part) => [...part]));
  });
});

test("a judge sees its template and the texts, and no special tokens of ours", () => {
  const { metadata } = judge.file!;
  const tokenizer = createTokenizer(metadata);
  expect(tokenizer.suffix).not.toEqual([]);
  const about = { kind: "judge", tokenizer, contextLength: 512, typeCount: 1 } as const;
  const key = "tokenizer.chat_template.rerank";
  const templated = (template: string) =>
    edit(judge.file!, { metadata: { [key]: string(template) } }).metadata;
  const own = templated("<|im_start|>user\nthe {query} sat {document} ran");
  const pairs = new Pairs(own, about);
  const { ids } = atOnce(pairs.steps(pairs.query("cat"), "dog", 0, "end"));
  const parts = ["<|im_start|>user\n", "the cat sat dog", " ran"];
  expect([...ids]).toEqual(parts.flatMap((part) => [...tokenizer.encode(part)]));
  // That of the model card, where the file has none.
  const byDefault = new Pairs(metadata, about);
  const { ids: long } = atOnce(byDefault.steps(byDefault.query("cat"), "dog", 0, "end"));
  expect(long.length).toBeGreaterThan(100);
  for (const template of ["{query}", "{document} {query}"]) {
    const error = thrown(() => new Pairs(templated(template), about));
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toContain("expected {query} and after it {document}");
  }
});

describe("a reranker", () => {
  let reranker: Embedder;
  beforeAll(async () => {
    reranker = await open(bert.path);
  });
  afterAll(() => reranker.close());
  const long = "the cat sat on the mat ".repeat(40);

  test("says what it is", () => {
    expect(reranker.config).toMatchObject({ pooling: "rank", embeddingSize: 1 });
  });

  test("gives the best of them alone", async () => {
    const all = await reranker.rerank(QUERY, DOCUMENTS);
    expect(await reranker.rerank(QUERY, DOCUMENTS, { topN: 2 })).toEqual(all.slice(0, 2));
    expect(await reranker.rerank(QUERY, DOCUMENTS, { topN: 99 })).toEqual(all);
    expect(await reranker.rerank(QUERY, [])).toEqual([]);
  });

  test("cuts a long document, tells by how much, and keeps the query", async () => {
    // Without [CLS] and [SEP].
    const count = (text: string) => reranker.tokenize(text).length - 2;
    const [cut] = await reranker.rerank(QUERY, [long]);
    expect(cut).toMatchObject({ tokens: 64, truncated: count(QUERY) + count(long) + 3 - 64 });
    const error = await failure(() => reranker.rerank(QUERY, ["a", long], { truncate: "error" }));
    expect(error.code).toBe("INPUT_TOO_LONG");
    expect(error.index).toBe(1);
    expect(error.message).toStartWith("text 1 and the query have ");
  });

  test("refuses a query that leaves no room", async () => {
    const error = await failure(() => reranker.rerank(long, ["a"]));
    expect(error.code).toBe("INPUT_TOO_LONG");
    expect(error.message).toStartWith("the query has 520 tokens, which leave no room");
    // [CLS] and two [SEP] leave 61: one of them for the document.
    const [tight] = await reranker.rerank("a ".repeat(60), ["the cat sat"]);
    expect(tight!.tokens).toBe(64);
    const full = await failure(() => reranker.rerank("a ".repeat(61), ["the cat sat"]));
    expect(full.message).toStartWith("the query has 61 tokens");
  });

  test("gives no vectors", async () => {
    const works = [
      () => reranker.embed("a"),
      () => reranker.embedSync("a"),
      () => reranker.stream(["a"]).next(),
    ];
    for (const work of works) {
      const error = await failure(work);
      expect(error.code).toBe("UNSUPPORTED");
      expect(error.message).toContain("is a reranker, which gives no vectors");
    }
  });

  test("refuses what is no query, no document or no option", async () => {
    const refusals: [work: () => unknown, message: string][] = [
      [() => reranker.rerank(1 as never, ["a"]), "the query is not a string"],
      [() => reranker.rerank("a", "b" as never), "the documents are not an array"],
      [() => reranker.rerank("a", ["b", 1 as never]), "text 1 is not a string"],
      [() => reranker.rerank("a", ["b"], { topN: -1 }), "topN is -1"],
      [() => reranker.rerank("a", ["b"], { truncate: "start" as never }), 'truncate is "start"'],
    ];
    for (const [work, message] of refusals) {
      const error = await failure(work);
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toStartWith(message);
    }
    const limited = await failure(() => reranker.rerank("a", DOCUMENTS, { tokenLimit: 9 }));
    expect(limited.code).toBe("INPUT_TOO_LONG");
  });

  test("can be aborted", async () => {
    const signal = AbortSignal.abort("enough");
    expect(await reranker.rerank("a", ["b"], { signal }).catch((reason) => reason)).toBe("enough");
  });

  test("has a fingerprint, as other models have", async () => {
    expect(await reranker.fingerprint()).toStartWith("bert-1-");
  });
});

test("a judge's query and instruction must leave room, too", async () => {
  await using reranker = await open(judge.path);
  const error = await failure(() => reranker.rerank("the cat sat ".repeat(400), ["a"]));
  expect(error.code).toBe("INPUT_TOO_LONG");
  expect(error.message).toContain("the model's instruction included");
  const [cut] = await reranker.rerank(QUERY, ["the cat sat ".repeat(400)]);
  expect(cut!.tokens).toBe(512);
  expect(cut!.truncated).toBeGreaterThan(0);
});

test("an embedding model scores no pairs", async () => {
  await using model = await open(plain.path);
  const error = await failure(() => model.rerank("a", ["b"]));
  expect(error.code).toBe("UNSUPPORTED");
  expect(error.message).toContain("is an embedding model, which scores no pairs");
});
