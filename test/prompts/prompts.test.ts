import { describe, expect, test } from "bun:test";
import { GgufMetadata } from "../../src/gguf/metadata.ts";
import { string } from "../../src/gguf/values.ts";
import { promptsFor } from "../../src/prompts.ts";
import { thrown } from "../gguf/rejection.ts";

const gemma = promptsFor({ architecture: "gemma-embedding", name: "Embeddinggemma 300M" });

describe("EmbeddingGemma", () => {
  const prefixes = {
    query: "task: search result | query: ",
    document: "title: none | text: ",
    question_answering: "task: question answering | query: ",
    fact_checking: "task: fact checking | query: ",
    classification: "task: classification | query: ",
    clustering: "task: clustering | query: ",
    sentence_similarity: "task: sentence similarity | query: ",
    code_retrieval: "task: code retrieval | query: ",
  };

  test("has the tasks of its model card", () => {
    expect(gemma.tasks).toEqual(Object.keys(prefixes));
    for (const [task, prefix] of Object.entries(prefixes)) {
      expect(gemma.prefix({ task })).toBe(prefix);
    }
  });

  test("puts a document's title in its place, whatever it holds", () => {
    expect(gemma.prefix({ task: "document", title: "Mars" })).toBe("title: Mars | text: ");
    expect(gemma.prefix({ task: "document", title: "$& {title}" })).toBe(
      "title: $& {title} | text: ",
    );
    expect(gemma.prefix({ task: "document", title: "" })).toBe("title: none | text: ");
    const prompt = "{title}. About {title}: ";
    expect(gemma.prefix({ prompt, title: "Mars" })).toBe("Mars. About Mars: ");
  });

  test("refuses a title elsewhere", () => {
    for (const task of [undefined, "query"]) {
      const error = thrown(() => gemma.prefix({ task, title: "Mars" }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain('a title needs the task "document"');
    }
  });

  test("refuses an unknown task and lists the known ones", () => {
    for (const task of ["Query", "toString", ""]) {
      const error = thrown(() => gemma.prefix({ task }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(`No task "${task}" for the model "Embeddinggemma 300M"`);
      for (const known of gemma.tasks) expect(error.message).toContain(known);
    }
  });
});

test("without a task, nothing goes before the text", () => {
  expect(gemma.prefix({})).toBe("");
});

describe("a caller's own prompts", () => {
  test("count before the model's, and add tasks", () => {
    const own = { query: "ask: ", summary: "{title}: ", document: "" };
    const model = { architecture: "gemma-embedding", name: "x" };
    const prompts = promptsFor(model, undefined, own);
    expect(prompts.tasks).toEqual([...gemma.tasks, "summary"]);
    expect(prompts.prefix({ task: "query" })).toBe("ask: ");
    expect(prompts.prefix({ task: "summary", title: "Mars" })).toBe("Mars: ");
    expect(prompts.prefix({ task: "document" })).toBe("");
    expect(prompts.prefix({ task: "clustering" })).toBe("task: clustering | query: ");
  });

  test("may be given for a call, with a place for the title", () => {
    expect(gemma.prefix({ prompt: "ask: " })).toBe("ask: ");
    expect(gemma.prefix({ prompt: "{title} - ", title: "Mars" })).toBe("Mars - ");
    expect(gemma.template({ prompt: "{title} - " })).toBe("{title} - ");
  });

  test("are refused beside a task, and where they are no strings", () => {
    const both = thrown(() => gemma.prefix({ prompt: "ask: ", task: "query" }));
    expect(both.code).toBe("INVALID_ARGUMENT");
    expect(both.message).toContain("leave one of them out");
    for (const bad of [3, null] as unknown as string[]) {
      expect(thrown(() => gemma.prefix({ prompt: bad })).message).toContain("not a string");
      const model = { architecture: "bert", name: "x" };
      const error = thrown(() => promptsFor(model, undefined, { query: bad }));
      expect(error.message).toContain("prompts.query is not a string");
    }
  });
});

const RETRIEVAL =
  "Instruct: Given a web search query, retrieve relevant passages that answer the query";
const SEARCHING = "Represent this sentence for searching relevant passages: ";

describe("models of the bert architecture, by name", () => {
  const cases: readonly [name: string, query: string, document: string][] = [
    ["all-MiniLM-L6-v2", "", ""],
    ["All MiniLM L12 v2", "", ""],
    ["MiniLM L6 H384 Uncased", "", ""],
    ["Bge Small En v1.5", SEARCHING, ""],
    ["BAAI/bge-large-en-v1.5", SEARCHING, ""],
    ["bge-small-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", ""],
    ["Bge M3", "", ""],
    ["e5-small-v2", "query: ", "passage: "],
    ["Multilingual E5 Base", "query: ", "passage: "],
    ["multilingual-e5-large-instruct", `${RETRIEVAL}\nQuery: `, ""],
    ["Gte Small", "", ""],
    ["thenlper/gte-large", "", ""],
    ["Mxbai Embed Large v1", SEARCHING, ""],
  ];
  for (const [name, query, document] of cases) {
    test(name, () => {
      const prompts = promptsFor({ architecture: "bert", name });
      expect(prompts.tasks).toEqual(["query", "document"]);
      expect(prompts.prefix({ task: "query" })).toBe(query);
      expect(prompts.prefix({ task: "document" })).toBe(document);
      const error = thrown(() => prompts.prefix({ task: "document", title: "Mars" }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("have no place for one");
    });
  }
});

describe("models of other architectures, by name", () => {
  test("nomic-embed-text has a prefix a task", () => {
    for (const name of ["nomic-embed-text-v1.5", "Nomic Embed Text v1"]) {
      const prompts = promptsFor({ architecture: "nomic-bert", name });
      const prefixes = prompts.tasks.map((task) => [task, prompts.prefix({ task })]);
      expect(Object.fromEntries(prefixes)).toEqual({
        query: "search_query: ",
        document: "search_document: ",
        classification: "classification: ",
        clustering: "clustering: ",
      });
    }
  });

  test("Qwen3-Embedding has an instruction for queries, without a space after it", () => {
    const prompts = promptsFor({ architecture: "qwen3", name: "Qwen3 Embedding 0.6b" });
    expect(prompts.tasks).toEqual(["query", "document"]);
    expect(prompts.prefix({ task: "query" })).toBe(`${RETRIEVAL}\nQuery:`);
    expect(prompts.prefix({ task: "document" })).toBe("");
    const prompt = "Instruct: Find papers on a subject\nQuery:";
    expect(prompts.prefix({ prompt })).toBe(prompt);
  });
});

describe("what a file calls its model", () => {
  const tasksOf = (path: string, names: Readonly<Record<string, string>>) => {
    const entries = Object.entries(names).map(([key, name]) => [key, string(name)] as const);
    const metadata = new GgufMetadata(path, new Map(entries));
    const name = names["general.name"] ?? "model";
    return promptsFor({ architecture: "bert", name }, metadata).tasks;
  };

  test.each([
    ["general.name", "/models/model.gguf", { "general.name": "Bge Base En v1.5" }],
    [
      "general.basename",
      "/models/m.gguf",
      { "general.name": "x", "general.basename": "bge-base-en" },
    ],
    ["the file's name", "/models/bge-base-en-v1.5-q8_0.gguf", { "general.name": "x" }],
  ])("%s tells its prompts", (_, path, names) => {
    expect(tasksOf(path, names)).toEqual(["query", "document"]);
  });

  test("its folder does not", () => {
    expect(tasksOf("/bge-base-en/model.gguf", {})).toEqual([]);
  });
});

describe("prompts that a file states", () => {
  const stated = (prompts: Readonly<Record<string, string>>) => {
    const entries = Object.entries(prompts).map(([task, prompt]) => {
      return [`ggufembed.prompt.${task}`, string(prompt)] as const;
    });
    return new GgufMetadata("model.gguf", new Map([["general.name", string("x")], ...entries]));
  };

  test("are a model's tasks where nothing is known of it", () => {
    const metadata = stated({ query: "ask: ", "s2p query": "search: " });
    const prompts = promptsFor({ architecture: "bert", name: "my-model" }, metadata);
    expect(prompts.tasks).toEqual(["query", "s2p query"]);
    expect(prompts.prefix({ task: "s2p query" })).toBe("search: ");
  });

  test("count where something else is known", () => {
    const metadata = stated({ query: "ask: " });
    const prompts = promptsFor({ architecture: "bert", name: "e5-small" }, metadata);
    expect(prompts.prefix({ task: "query" })).toBe("ask: ");
    expect(prompts.prefix({ task: "document" })).toBe("passage: ");
  });

  test("do not lose the place of a title", () => {
    const metadata = stated({ document: "title: none | text: ", STS: "task: x | query: " });
    const prompts = promptsFor({ architecture: "gemma-embedding", name: "x" }, metadata);
    expect(prompts.prefix({ task: "document", title: "Mars" })).toBe("title: Mars | text: ");
    expect(prompts.tasks).toContain("STS");
  });
});

describe("models whose prompts are not known", () => {
  const names = [
    "my-model",
    "e5-base-instruct",
    "some5-small",
    "gte-large-zh",
    "gte-large-en-v1.5",
    "mxbai-embed-xsmall-v1",
    "bge-m3-unsupervised",
    "bge-reranker-base",
  ];
  for (const name of names) {
    test(`${name} has no tasks, and says what to do instead`, () => {
      const prompts = promptsFor({ architecture: "bert", name });
      expect(prompts.tasks).toEqual([]);
      expect(prompts.prefix({})).toBe("");
      const error = thrown(() => prompts.prefix({ task: "query" }));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain("put the prefix that the model's description asks for");
    });
  }

  test("a name alone does not make a model of another architecture", () => {
    expect(promptsFor({ architecture: "qwen3", name: "bge-small-en" }).tasks).toEqual([]);
    expect(promptsFor({ architecture: "qwen3", name: "Qwen3 0.6B" }).tasks).toEqual([]);
    expect(promptsFor({ architecture: "bert", name: "nomic-embed-text-v1.5" }).tasks).toEqual([]);
  });
});
