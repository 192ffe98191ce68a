import { z } from "zod";
import type { TextInput } from "../../index.ts";
import { readJson } from "../body.ts";
import { checked, Ids, isFilled, isIds, isText } from "../checked.ts";
import { type Endpoint, embedFor, type FormatError } from "../endpoint.ts";
import { operation } from "../schema.ts";
import { toNumbers } from "./openai.ts";

const Inputs = checked(
  z.union([z.string(), z.array(z.union([z.string(), Ids])).min(1)]),
  (value) => isText(value) || isFilled(value, (item) => isText(item) || isIds(item)),
  { error: "expected a string, or an array of strings or token ids" },
);
const EXPECTED = { error: "expected an array of texts, or an object with `inputs`" };
const Texts = checked(z.array(z.string()).min(1), (value) => isFilled(value, isText), {
  ...EXPECTED,
  abort: true,
});

/** https://huggingface.github.io/text-embeddings-inference, and a bare array of texts. */
export const EmbedBody = z.union(
  [
    Texts,
    z.strictObject({
      inputs: Inputs,
      truncate: z.boolean().nullish().meta({ description: "Else a long text is an error." }),
      truncation_direction: z.enum(["left", "right", "Left", "Right"]).default("right"),
      normalize: z.boolean().default(true),
      prompt_name: z.string().nullish().meta({ description: "A task of the model." }),
      dimensions: z.int().min(1).nullish(),
    }),
  ],
  EXPECTED,
);

export const EmbedError = z.object({ error: z.string(), error_type: z.string() });

const ERROR_TYPES: Readonly<Record<number, string>> = {
  429: "Overloaded",
  503: "Unhealthy",
};

export const formatEmbedError: FormatError = ({ message, status }) => ({
  error: message,
  error_type: ERROR_TYPES[status] ?? (status < 500 ? "Validation" : "Backend"),
});

export const embedRoute: Endpoint = {
  method: "POST",
  path: "/embed",
  guarded: true,
  formatError: formatEmbedError,
  operation: operation({
    summary: "Vectors of an array of texts, or as Text Embeddings Inference gives them",
    request: EmbedBody,
    response: z.array(z.array(z.number())),
    error: EmbedError,
  }),
  async run(exchange) {
    const body = await readJson(exchange, EmbedBody);
    const request = Array.isArray(body) ? { texts: body } : fromInference(body);
    const { results } = await embedFor(exchange, { model: undefined, ...request });
    return Response.json(results.map(({ embedding }) => toNumbers(embedding)));
  },
};

function fromInference(body: Exclude<z.infer<typeof EmbedBody>, readonly string[]>) {
  const { inputs, truncate, truncation_direction, normalize, prompt_name, dimensions } = body;
  const items = typeof inputs === "string" ? [inputs] : inputs;
  const texts = items.map(
    (item): TextInput => (typeof item === "string" ? item : Int32Array.from(item)),
  );
  const side = truncation_direction.toLowerCase() === "left" ? "start" : "end";
  return {
    texts,
    normalize,
    truncate: truncate === true ? side : "error",
    task: prompt_name ?? undefined,
    dimensions: dimensions ?? undefined,
  } as const;
}
