import { createHash, timingSafeEqual } from "node:crypto";
import { RequestError } from "./request-error.ts";

/** API keys that requests must bring; all are compared, each in constant time. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  /** Throws `RequestError` 401 unless keys are off or the request has one of them. */
  check(request: Request): void {
    if (this.#digests.length === 0) return;
    const authorization = request.headers.get("authorization") ?? "";
    const found = digest(/^bearer\s+(.+)$/i.exec(authorization)?.[1]?.trim() ?? "");
    let matches = 0;
    for (const known of this.#digests) matches |= Number(timingSafeEqual(known, found));
    if (matches !== 0) return;
    const message = "send a valid key as `Authorization: Bearer KEY`";
    throw new RequestError(401, "invalid_api_key", message);
  }
}

/** One key a line or separated by commas; empty lines and lines that begin with # are left out. */
export function parseKeys(text: string): string[] {
  const lines = text.split(/[\n,]/).map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** Of one length, so that comparing tells nothing of the key's. */
function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
