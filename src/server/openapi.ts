import { version } from "../index.ts";
import type { Endpoint } from "./endpoint.ts";
import { formatOpenAiError } from "./routes/openai.ts";

/** The OpenAPI document of the endpoints, made of what they check requests with. */
export function openApiDocument(endpoints: readonly Endpoint[]): object {
  const security = (guarded: boolean) => (guarded ? { security: [{ key: [] }, {}] } : {});
  const paths = endpoints.map(({ path, method, guarded, operation }) => [
    path,
    { [method.toLowerCase()]: { ...operation, ...security(guarded) } },
  ]);
  return {
    openapi: "3.1.0",
    info: {
      title: "ggufembed",
      version,
      description: "Text embeddings from GGUF files on the CPU.",
      license: { name: "MIT", identifier: "MIT" },
    },
    paths: Object.fromEntries(paths),
    components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
  };
}

/** Serves that document. */
export function openApiEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  const self: Endpoint = {
    method: "GET",
    path: "/openapi.json",
    guarded: false,
    formatError: formatOpenAiError,
    operation: {
      summary: "This document",
      responses: {
        200: {
          description: "Done.",
          content: { "application/json": { schema: { type: "object" } } },
        },
      },
    },
    run: () => Response.json(openApiDocument([...endpoints, self])),
  };
  return self;
}
