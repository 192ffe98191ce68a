import type { WriteProgress } from "../index.ts";
import { bar, type ProgressSurface, StatusLine, stderrSurface, timeLeft } from "./status-line.ts";

/** Does what writes a model file; a bar on stderr tells how far that is. */
export async function withWriteBar<T>(
  verb: string,
  work: (options: { onProgress: (progress: WriteProgress) => void }) => Promise<T>,
  surface: ProgressSurface = stderrSurface(false),
): Promise<T> {
  const line = new StatusLine<WriteProgress>(({ written, total }, workSeconds, sinceSeconds) => {
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    const counts = `${megabytes(written)} of ${megabytes(total)} MB`;
    const left = timeLeft(written / total, workSeconds, sinceSeconds);
    return `${bar(written / total)} ${verb}: ${counts}, ${left}`;
  }, surface);
  try {
    return await work({ onProgress: (progress) => line.update(progress) });
  } finally {
    line.clear();
  }
}
