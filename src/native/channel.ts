import type { Socket } from "bun";
import { expectOk, type Library } from "./bindings.ts";

/** Tickets taken out of the native list at a time. */
const DRAIN_CAPACITY = 256;

/**
 * Tells when native jobs are done, without ever blocking: the native side lists finished tickets
 * and sends a byte; the event loop wakes and drains the list. The socket keeps the process alive
 * only while jobs are in flight.
 */
export class Channel {
  readonly id: number;
  readonly #library: Library;
  readonly #waiting = new Map<number, () => void>();
  readonly #tickets = new BigUint64Array(new ArrayBuffer(DRAIN_CAPACITY * 8));
  readonly #count = new Uint32Array(new ArrayBuffer(4));
  #socket: Socket | undefined;

  private constructor(library: Library, id: number) {
    this.#library = library;
    this.id = id;
  }

  static async open(library: Library): Promise<Channel> {
    const id = new BigUint64Array(new ArrayBuffer(8));
    const fd = new Int32Array(new ArrayBuffer(4));
    expectOk(library.symbols.ggufembed_channel_open(id, fd), "opening a channel");
    const channel = new Channel(library, Number(id[0]));
    // bun-types does not know `fd` yet.
    const options = {
      fd: fd[0],
      socket: { data: () => channel.#drain() },
    } as unknown as Parameters<typeof Bun.connect>[0];
    try {
      channel.#socket = (await Bun.connect(options)) as Socket;
    } catch (error) {
      library.symbols.ggufembed_channel_close(channel.id);
      throw error;
    }
    channel.#socket.unref();
    return channel;
  }

  /** Resolves when the job with this ticket is done. Call it in the turn that submitted the job. */
  finished(ticket: number): Promise<void> {
    if (this.#waiting.size === 0) this.#socket?.ref();
    return new Promise((resolve) => this.#waiting.set(ticket, resolve));
  }

  #drain(): void {
    let count: number;
    do {
      expectOk(
        this.#library.symbols.ggufembed_channel_drain(
          this.id,
          this.#tickets,
          DRAIN_CAPACITY,
          this.#count,
        ),
        "reading finished jobs",
      );
      count = this.#count[0] ?? 0;
      for (const ticket of this.#tickets.subarray(0, count)) this.#finish(Number(ticket));
    } while (count === DRAIN_CAPACITY);
  }

  #finish(ticket: number): void {
    const resolve = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (this.#waiting.size === 0) this.#socket?.unref();
    resolve?.();
  }
}
