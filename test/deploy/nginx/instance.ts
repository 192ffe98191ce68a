import { cliEnvironment, MAIN } from "../../cli/run-cli.ts";
import { startProcess } from "../../server/process.ts";
import { freePort } from "../ports.ts";

/** One `ggufembed serve` of several, always at the same address. */
export class Instance implements AsyncDisposable {
  readonly #model: string;
  readonly #args: readonly string[];
  readonly port: number;
  #process: Awaited<ReturnType<typeof startProcess>> | undefined;

  private constructor(model: string, args: readonly string[], port: number) {
    this.#model = model;
    this.#args = args;
    this.port = port;
  }

  /** Ready. */
  static async start(model: string, args: readonly string[] = []): Promise<Instance> {
    const instance = new Instance(model, args, await freePort());
    await instance.start();
    return instance;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.host}/`;
  }

  get pid(): number {
    return this.#running.child.pid;
  }

  /** Starts it again, and waits until it is ready. */
  async start(): Promise<void> {
    const args = ["--port", String(this.port), "--log", "off", ...this.#args];
    const program = [process.execPath, MAIN];
    this.#process = await startProcess(program, this.#model, { env: cliEnvironment(), args });
    if (this.#process.url === "") throw new Error((await this.#process.ended()).stderr);
  }

  /** Ends it by a signal, and gives its exit code. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    const { child, ended } = this.#running;
    child.kill(signal);
    const { code } = await ended();
    this.#process = undefined;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.end("SIGKILL");
  }

  get #running() {
    if (this.#process === undefined) throw new Error("the instance does not run");
    return this.#process;
  }
}

/** Several, ready. */
export async function startInstances(
  count: number,
  model: string,
  args: readonly string[] = [],
): Promise<Instance[] & AsyncDisposable> {
  const starting = Array.from({ length: count }, () => Instance.start(model, args));
  const instances = await Promise.all(starting);
  return Object.assign(instances, {
    async [Symbol.asyncDispose]() {
      for (const instance of instances) await instance[Symbol.asyncDispose]();
    },
  });
}
