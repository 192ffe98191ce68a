/** What stands in for an instance, where a real one cannot be made to answer so. */
export class Fake implements Disposable {
  /** What it was asked. */
  readonly requests: Request[] = [];
  /** From which ports. */
  readonly connections = new Set<number>();
  /** How it answers from now on. */
  status: number;
  readonly #server: Bun.Server<undefined>;

  constructor(status = 200) {
    this.status = status;
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request, server) => {
        this.connections.add(server.requestIP(request)?.port ?? 0);
        this.requests.push(request);
        await request.bytes();
        const headers = { "x-request-id": request.headers.get("x-request-id") ?? "" };
        return new Response(String(this.status), { status: this.status, headers });
      },
    });
  }

  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
