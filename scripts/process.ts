/** Where a script says what it does: one line a call. */
export type Log = (line: string) => void;

/** Progress and complaints go to stderr: stdout is for results. */
export const logToStderr: Log = (line) => console.error(line);

const HEARTBEAT_MS = 5_000;

export interface Finished {
  readonly exitCode: number;
  /** Stdout and stderr, in the order in which they came. */
  readonly output: string;
  readonly seconds: number;
}

export interface Heartbeat {
  /** What the heartbeat calls the work. */
  readonly label: string;
  readonly log: Log;
  /** More for the heartbeat to tell: bytes on disk, say. */
  readonly note?: (() => Promise<string>) | undefined;
  /** Default 5,000. The promise is: never ten seconds of silence. */
  readonly intervalMs?: number | undefined;
}

export interface CommandOptions extends Heartbeat {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Runs a command to its end, keeping its output and saying every five seconds that it works. */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions,
): Promise<Finished> {
  const start = performance.now();
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const exitCode = await withHeartbeat(options, async () => {
    await Promise.all([collect(child.stdout), collect(child.stderr)]);
    return child.exited;
  });
  return { exitCode, output, seconds: (performance.now() - start) / 1000 };
}

/** Runs a command. Throws with its last lines unless it ends well. */
export async function runOrThrow(
  command: readonly string[],
  label: string,
  log: Log,
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<void> {
  const finished = await runCommand(command, { label, log, env: { ...process.env, ...env }, cwd });
  if (finished.exitCode === 0) return;
  throw new Error(`${label}: ${command.slice(0, 4).join(" ")} failed\n${tail(finished.output)}`);
}

/** Does `work`, saying every five seconds for how long it has been at it. */
export async function withHeartbeat<T>(
  { label, log, note, intervalMs = HEARTBEAT_MS }: Heartbeat,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  const beat = async () => {
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const more = note === undefined ? "" : `, ${await note()}`;
    log(`  ${label}: ${seconds} s${more}`);
  };
  const timer = setInterval(beat, intervalMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The last lines of a command's output, where its reason usually is. */
export function tail(output: string, line_count_max = 12): string {
  return output.trimEnd().split("\n").slice(-line_count_max).join("\n");
}
