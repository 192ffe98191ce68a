import type { DownloadProgress, PullOptions } from "../index.ts";
import { bar, type ProgressSurface, StatusLine, stderrSurface, timeLeft } from "./status-line.ts";

/** Does what may need a download; a bar on stderr tells how far that is. */
export async function withDownloadBar<T>(
  work: (options: Pick<PullOptions, "onProgress">) => Promise<T>,
  surface: ProgressSurface = stderrSurface(false),
): Promise<T> {
  let first: number | undefined;
  const line = new StatusLine<DownloadProgress>(
    (state, ...seconds) => progressLine(state, first ?? 0, ...seconds),
    surface,
  );
  const onProgress = (state: DownloadProgress) => {
    first ??= state.received;
    line.update(state);
  };
  try {
    return await work({ onProgress });
  } finally {
    line.clear();
  }
}

/** @param first bytes that were there when this process began: they tell nothing of its pace */
function progressLine(
  { received, total }: DownloadProgress,
  first: number,
  workSeconds: number,
  sinceSeconds: number,
): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  if (total === undefined || total <= first) return `downloading: ${megabytes(received)} MB`;
  const counts = `${megabytes(received)} of ${megabytes(total)} MB`;
  const left = timeLeft((received - first) / (total - first), workSeconds, sinceSeconds);
  return `${bar(received / total)} downloading: ${counts}${received > first ? `, ${left}` : ""}`;
}
