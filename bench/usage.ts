import { EXIT, UsageError } from "../src/cli/errors.ts";
import { GgufEmbedError } from "../src/errors.ts";

/**
 * Runs `work`; says in one line what is wrong with the options, then the usage, or what is wrong
 * with a model, and leaves.
 */
export async function withUsage(usage: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`error: ${error.message}\n${usage}`);
      process.exit(EXIT.usage);
    }
    if (!(error instanceof GgufEmbedError)) throw error;
    console.error(`error: ${error.message}`);
    process.exit(EXIT.failure);
  }
}
