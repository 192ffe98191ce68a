/** Why the server gave no answer, in words for who reads the page. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Asks the user for a key; undefined where there will be none. */
export type AskKey = (isWrong: boolean) => Promise<string | undefined>;

const STORED = "ggufembed-key";
const TRIES_MAX = 5;

/** The server's own API. Paths are relative: the page may lie below a prefix. */
export class Api {
  readonly #askKey: AskKey;
  #key: string | undefined = sessionStorage.getItem(STORED) ?? undefined;
  #asking: Promise<string | undefined> | undefined;

  constructor(askKey: AskKey) {
    this.#askKey = askKey;
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  forgetKey(): void {
    this.#key = undefined;
    sessionStorage.removeItem(STORED);
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#send(path, {}, signal);
  }

  post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.#send(path, { method: "POST", body: JSON.stringify(body) }, signal);
  }

  async #send<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    for (let tries = 1; ; tries++) {
      const key = this.#key;
      const headers = new Headers(key === undefined ? {} : { authorization: `Bearer ${key}` });
      if (init.body) headers.set("content-type", "application/json");
      const response = await fetch(path, { ...init, headers, signal: signal ?? null }).catch(
        (error: unknown) => {
          if (signal?.aborted) throw error;
          throw new ApiError("The server cannot be reached. Is it still running?");
        },
      );
      if (response.ok) return (await response.json()) as T;
      if (response.status === 401) {
        await this.#renewKey(key);
        continue;
      }
      const wait = Number(response.headers.get("retry-after"));
      if (wait === 0 || tries === TRIES_MAX) throw await toError(response);
      await sleep(wait * 1000, signal);
    }
  }

  /** One question for all requests that were refused meanwhile. Throws where nobody answers it. */
  async #renewKey(refused: string | undefined): Promise<void> {
    if (this.#key !== refused) return;
    this.#asking ??= this.#askKey(refused !== undefined).finally(() => {
      this.#asking = undefined;
    });
    const key = await this.#asking;
    if (key === undefined) throw new ApiError("The server asks for a key.");
    this.#key = key;
    sessionStorage.setItem(STORED, key);
  }
}

interface Told {
  readonly error?: string | { readonly message?: string; readonly code?: string | null };
}

async function toError(response: Response): Promise<ApiError> {
  const { error }: Told = await response.json().catch(() => ({}));
  if (typeof error === "string") return new ApiError(error);
  const message = error?.message ?? `The server answered ${response.status}.`;
  return new ApiError(message, error?.code ?? undefined);
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
