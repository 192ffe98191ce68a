import { z } from "zod";
import type { Embedder } from "../../index.ts";
import { readJson } from "../body.ts";
import { checked, isFilled, isText } from "../checked.ts";
import type { Endpoint } from "../endpoint.ts";
import { tooLarge } from "../request-error.ts";
import { operation } from "../schema.ts";
import { EmbedError, formatEmbedError } from "./embed.ts";

/** They hold up the event loop's thread for some tens of milliseconds at most. */
export const TOKENIZE_CHARACTERS_MAX = 16_384;

/** https://huggingface.github.io/text-embeddings-inference, with a parameter of ours. */
export const TokenizeBody = z.strictObject({
  inputs: checked(
    z.union([z.string(), z.array(z.string()).min(1)]),
    (value) => isText(value) || isFilled(value, isText),
    { error: "expected a string or an array of strings" },
  ),
  add_special_tokens: z.boolean().default(true),
  model: z.string().nullish().meta({ description: "Ours: an id of `/v1/models`." }),
});

const Token = z.object({
  id: z.int(),
  text: z.string().meta({
    description: "U+FFFD for bytes that are no character by themselves; empty for special tokens.",
  }),
  special: z.boolean().meta({ description: "Whether it stands for no text." }),
});

export const tokenizeRoute: Endpoint = {
  method: "POST",
  path: "/tokenize",
  guarded: true,
  formatError: formatEmbedError,
  operation: operation({
    summary: "Tokens of texts, as the model sees them",
    request: TokenizeBody,
    response: z.array(z.array(Token)),
    error: EmbedError,
  }),
  async run(exchange) {
    const { inputs, add_special_tokens, model: name } = await readJson(exchange, TokenizeBody);
    const { service, notes } = exchange;
    const texts = typeof inputs === "string" ? [inputs] : inputs;
    const { itemsMax } = service.settings;
    if (texts.length > itemsMax) {
      throw tooLarge(`${texts.length} texts; a request takes ${itemsMax}`);
    }
    const length = texts.reduce((total, text) => total + text.length, 0);
    if (length > TOKENIZE_CHARACTERS_MAX) {
      throw tooLarge(`${length} characters; a request takes ${TOKENIZE_CHARACTERS_MAX}`);
    }
    const model = service.models.find(name ?? undefined);
    const tokens = texts.map((text) => tokensOf(model.embedder, text));
    notes.model = model.id;
    notes.texts = texts.length;
    notes.tokens = tokens.reduce((total, { length }) => total + length, 0);
    const wanted = ({ special }: z.infer<typeof Token>) => add_special_tokens || !special;
    return Response.json(tokens.map((each) => each.filter(wanted)));
  },
};

function tokensOf(embedder: Embedder, text: string): z.infer<typeof Token>[] {
  const ids = embedder.tokenize(text);
  return Array.from(ids, (id, i) => {
    const alone = embedder.detokenize([id]);
    if (alone === "" || i === 0) return { id, text: alone, special: alone === "" };
    // A space before a word shows only beside the token before it.
    const before = embedder.detokenize([ids[i - 1]!]);
    const both = embedder.detokenize([ids[i - 1]!, id]);
    // Bytes of one character, though, are no more text together than alone.
    const follows = both.startsWith(before) ? both.slice(before.length) : "";
    return { id, text: follows || alone, special: false };
  });
}
