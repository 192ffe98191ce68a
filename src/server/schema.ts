import type { z } from "zod";
import { jsonSchema } from "./checked.ts";

interface OperationParts {
  readonly summary: string;
  readonly request?: z.ZodType;
  readonly response: z.ZodType;
  readonly error?: z.ZodType;
}

/** Statuses that any request for vectors may end with. */
const ERRORS: Readonly<Record<string, string>> = {
  400: "The request is not valid.",
  401: "A key is missing or wrong.",
  404: "There is no such model.",
  408: "The body did not come in time.",
  413: "The body, the number of texts or a text is too large.",
  415: "The body has a content-encoding.",
  429: "Too much waits already; Retry-After says when to try again.",
  503: "The server starts or stops.",
  504: "The request took longer than it may.",
};

/** An OpenAPI operation from the schemas that requests are checked with. */
export function operation({ summary, request, response, error }: OperationParts): object {
  const content = (schema: z.ZodType, io: "input" | "output") => ({
    "application/json": { schema: jsonSchema(schema, io) },
  });
  const errors = Object.entries(error === undefined ? {} : ERRORS).map(([status, description]) => [
    status,
    { description, content: content(error!, "output") },
  ]);
  return {
    summary,
    ...(request === undefined
      ? {}
      : { requestBody: { required: true, content: content(request, "input") } }),
    responses: {
      200: { description: "Done.", content: content(response, "output") },
      ...Object.fromEntries(errors),
    },
  };
}
