import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeTexts } from "../../bench/texts.ts";
import { ROOT } from "../../scripts/paths.ts";
import { makeTinyModel } from "../reference/tiny.ts";
import type { Size, Soak } from "./figure.ts";

const WORDS_A_LINE = 150;

/** A large file of lines through the command line: memory must not grow with the file. */
export async function lines(size: Size): Promise<Soak> {
  const folder = mkdtempSync(join(tmpdir(), "ggufembed-soak-"));
  try {
    const model = join(folder, "tiny.gguf");
    await makeTinyModel({ architecture: "bert", type: "F32" }, model);
    const [few, many] = size === "full" ? [20e6, 1e9] : [1e5, 3e5];
    const small = await embedLines(model, folder, few);
    const large = await embedLines(model, folder, many);
    return {
      title: `a file of ${(many / 1e6).toLocaleString("en-US")} MB of lines, \`embed --input\``,
      figures: [
        { what: `most memory with ${few / 1e6} MB`, value: small.megabytes, unit: "MB" },
        {
          what: `most memory with ${many / 1e6} MB`,
          value: large.megabytes,
          unit: "MB",
          max: small.megabytes * 1.1,
        },
        { what: "lines", value: large.lines, unit: "" },
        { what: "time", value: large.seconds, unit: "s" },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function embedLines(model: string, folder: string, bytes: number) {
  const input = join(folder, "lines.txt");
  const count = writeLines(input, bytes);
  const start = performance.now();
  const command = ["src/cli/main.ts", "embed", "-m", model, "--input", input];
  const options = ["--truncate", "end", "--format", "f32", "--output", join(folder, "vectors.f32")];
  const child = Bun.spawn([process.execPath, ...command, ...options], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let megabytes = 0;
  const timer = setInterval(() => {
    megabytes = Math.max(megabytes, peakMegabytes(child.pid));
  }, 20);
  const stderr = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`embed failed: ${stderr}`);
  clearInterval(timer);
  const seconds = (performance.now() - start) / 1000;
  const written = Bun.file(join(folder, "vectors.f32")).size / (64 * 4);
  if (written !== count) throw new Error(`${written} vectors for ${count} lines`);
  return { megabytes, seconds, lines: count };
}

function writeLines(path: string, bytes: number): number {
  const text = `${makeTexts(1000, WORDS_A_LINE, 5).join("\n")}\n`;
  const file = openSync(path, "w");
  let count = 0;
  for (let written = 0; written < bytes; count += 1000) written += writeSync(file, text);
  closeSync(file);
  return count;
}

/** The most that a process had in memory so far; 0 once it is gone. */
function peakMegabytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}
