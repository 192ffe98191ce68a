import { z } from "zod";
import { readJson } from "../body.ts";
import { checked, isArrayOf, isText } from "../checked.ts";
import { type Endpoint, embedFor, type FormatError } from "../endpoint.ts";
import { operation } from "../schema.ts";
import { toNumbers } from "./openai.ts";

/** https://github.com/ollama/ollama/blob/main/docs/api.md, "Generate Embeddings". */
export const OllamaRequest = z.strictObject({
  model: z.string(),
  input: checked(
    z.union([z.string(), z.array(z.string())]),
    (value) => isText(value) || isArrayOf(value, isText),
    { error: "expected a string or an array of strings" },
  ),
  truncate: z
    .boolean()
    .nullish()
    .meta({ description: "Default: true; else a long text is an error." }),
  dimensions: z.int().min(1).nullish(),
  keep_alive: z
    .union([z.literal(-1), z.literal("-1")], {
      error: "models stay open here: leave it out, or say -1",
    })
    .nullish(),
  // LangChain for Python names every option, and those that are not set as null.
  options: z
    .record(z.string(), z.null({ error: "there are no options here: leave it out" }))
    .nullish(),
});

export const OllamaResponse = z.object({
  model: z.string(),
  embeddings: z.array(z.array(z.number())),
  total_duration: z.int().meta({ description: "Nanoseconds." }),
  load_duration: z.int().meta({ description: "0: the model is open." }),
  prompt_eval_count: z.int().meta({ description: "Tokens." }),
});

export const OllamaError = z.object({ error: z.string() });

export const formatOllamaError: FormatError = ({ message }) => ({ error: message });

export const ollamaEmbed: Endpoint = {
  method: "POST",
  path: "/api/embed",
  guarded: true,
  formatError: formatOllamaError,
  operation: operation({
    summary: "Embeddings as Ollama gives them",
    request: OllamaRequest,
    response: OllamaResponse,
    error: OllamaError,
  }),
  async run(exchange) {
    const start = Bun.nanoseconds();
    const body = await readJson(exchange, OllamaRequest);
    const dimensions = body.dimensions ?? undefined;
    const texts = typeof body.input === "string" ? [body.input] : body.input;
    const truncate = body.truncate === false ? "error" : "end";
    const answer = await embedFor(exchange, { model: body.model, texts, dimensions, truncate });
    return Response.json({
      model: body.model,
      embeddings: answer.results.map(({ embedding }) => toNumbers(embedding)),
      total_duration: Math.round(Bun.nanoseconds() - start),
      load_duration: 0,
      prompt_eval_count: answer.tokens,
    });
  },
};
