import { z } from "zod";
import type { TextInput } from "../../index.ts";
import { readJson } from "../body.ts";
import { checked, Ids, isFilled, isIds, isText } from "../checked.ts";
import { type Endpoint, embedFor, type FormatError } from "../endpoint.ts";
import { badRequest, type RequestError } from "../request-error.ts";
import { operation } from "../schema.ts";

const Input = checked(
  z
    .union([z.string(), Ids, z.array(z.string()).min(1), z.array(Ids).min(1)])
    .meta({ description: "Texts or token ids; ids are taken as they are." }),
  (value) => isText(value) || isIds(value) || isFilled(value, isText) || isFilled(value, isIds),
  { error: "expected a string, an array of strings, token ids, or an array of token ids" },
);

/**
 * https://platform.openai.com/docs/api-reference/embeddings, with three parameters of ours. Null is
 * how Python's clients say that something is not set.
 */
export const OpenAiRequest = z.strictObject({
  input: Input,
  model: z.string().nullish().meta({ description: "An id of `/v1/models`. Default: the first." }),
  dimensions: z.int().min(1).nullish().meta({ description: "Keep the first so many components." }),
  encoding_format: z.enum(["float", "base64"]).nullish().meta({ description: "Default: float." }),
  user: z.string().nullish().meta({ description: "Taken and not used: nothing is kept of users." }),
  task: z.string().nullish().meta({ description: "Ours: a task of the model; adds its prompt." }),
  title: z.string().nullish().meta({ description: "Ours: title of a document, for its prompt." }),
  truncate: z
    .enum(["error", "end", "start"])
    .nullish()
    .meta({ description: "Ours: what a text beyond the context loses. Default: error." }),
});

export const OpenAiResponse = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      object: z.literal("embedding"),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

export const OpenAiError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

export const formatOpenAiError: FormatError = ({ status, message, param, code }: RequestError) => ({
  error: { message, type: status < 500 ? typeOf(status) : "server_error", param, code },
});

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  return status === 429 ? "rate_limit_error" : "invalid_request_error";
}

export const openAiEmbeddings: Endpoint = {
  method: "POST",
  path: "/v1/embeddings",
  guarded: true,
  formatError: formatOpenAiError,
  operation: operation({
    summary: "Embeddings as OpenAI gives them",
    request: OpenAiRequest,
    response: OpenAiResponse,
    error: OpenAiError,
  }),
  async run(exchange) {
    const body = await readJson(exchange, OpenAiRequest);
    const answer = await embedFor(exchange, {
      model: body.model ?? undefined,
      texts: textsOf(body.input),
      dimensions: body.dimensions ?? undefined,
      task: body.task ?? undefined,
      title: body.title ?? undefined,
      truncate: body.truncate ?? "error",
    });
    const encode = body.encoding_format === "base64" ? toBase64 : toNumbers;
    return Response.json({
      object: "list",
      data: answer.results.map(({ embedding }, index) => ({
        object: "embedding",
        index,
        embedding: encode(embedding),
      })),
      model: answer.model.id,
      usage: { prompt_tokens: answer.tokens, total_tokens: answer.tokens },
    });
  },
};

function textsOf(input: z.infer<typeof OpenAiRequest>["input"]): TextInput[] {
  if (typeof input === "string") return [notEmpty(input)];
  if (typeof input[0] === "number") return [Int32Array.from(input as number[])];
  const items = input as (string | number[])[];
  return items.map((item) => (typeof item === "string" ? notEmpty(item) : Int32Array.from(item)));
}

/** OpenAI refuses it, and a client that sends one has most likely lost its text. */
function notEmpty(text: string): string {
  if (text !== "") return text;
  throw badRequest("an input is an empty string", "input");
}

export function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector);
}

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
