import { createHash } from "node:crypto";
import type { Endpoint } from "../endpoint.ts";
import { PAGE_PARTS } from "../page-parts.ts";
import { formatOpenAiError } from "./openai.ts";

const { markup, style, script } = PAGE_PARTS;
const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// As functions: in a string, `$` would have a meaning.
const PAGE = markup
  .replace("<style></style>", () => `<style>${style}</style>`)
  .replace('"module"></script>', () => `"module">${script}</script>`);

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  // This style, this script, this server, and nothing else. No string ever becomes markup.
  "content-security-policy": [
    "default-src 'none'",
    `style-src ${hash(style)}`,
    `script-src ${hash(script)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** A page to try the server with. It is a client like others, and needs a key where they do. */
export const page: Endpoint = {
  method: "GET",
  path: "/",
  guarded: false,
  formatError: formatOpenAiError,
  operation: {
    summary: "A page to try the server with",
    responses: {
      200: { description: "Done.", content: { "text/html": { schema: { type: "string" } } } },
    },
  },
  run: () => new Response(PAGE, { headers: HEADERS }),
};
