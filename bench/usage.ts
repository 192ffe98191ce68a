import { EXIT, UsageError } from "../src/cli/errors.ts";

/** Runs `work`; says in one line what is wrong with the options, then the usage, and leaves. */
export async function withUsage(usage: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`error: ${error.message}\n${usage}`);
    process.exit(EXIT.usage);
  }
}
