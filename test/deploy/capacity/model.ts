/** A capacity model: what a load needs, from what was measured. Pure arithmetic. */

/** Of their cores' time, how much instances that answer people may be busy, and workers. */
export const SERVING_UTILISATION = 0.6;
export const BULK_UTILISATION = 0.9;
/** Instances and workers have two cores each, as here. */
export const CORES = 2;

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export interface Serving {
  readonly tokensPerSecond: number;
  readonly cores: number;
  /** With one more than the load needs: it may be down or restarting. */
  readonly instances: number;
}

/**
 * What so many texts an hour need:
 * `cores = texts / 3600 · tokens / (tokens a second of a core · utilisation)`,
 * `instances = ⌈cores / 2⌉ + 1`.
 */
export function serving(
  textsPerHour: number,
  tokensPerText: number,
  tokensPerSecondOfCore: number,
): Serving {
  const tokensPerSecond = (textsPerHour / HOUR_SECONDS) * tokensPerText;
  const cores = tokensPerSecond / (tokensPerSecondOfCore * SERVING_UTILISATION);
  return { tokensPerSecond, cores, instances: Math.ceil(cores / CORES) + 1 };
}

export interface Bulk {
  readonly coreHours: number;
  /** With one more in twenty, for those that fail and start. */
  readonly workers: number;
}

/**
 * What so many texts need within so many days:
 * `core-hours = texts · tokens / (tokens a second of a core · utilisation) / 3600`,
 * `workers = ⌈1.05 · core-hours / (24 · days · 2)⌉`.
 */
export function bulkWork(
  texts: number,
  tokensPerText: number,
  tokensPerSecondOfCore: number,
  days: number,
): Bulk {
  const coreSeconds = (texts * tokensPerText) / (tokensPerSecondOfCore * BULK_UTILISATION);
  const workers = Math.ceil((1.05 * coreSeconds) / (days * DAY_SECONDS * CORES));
  return { coreHours: coreSeconds / HOUR_SECONDS, workers };
}

/** Bytes of a vector; an int8 one has its scale beside it. */
export const BYTES_OF = {
  float32: (dimensions: number) => 4 * dimensions,
  int8: (dimensions: number) => dimensions + 4,
  binary: (dimensions: number) => dimensions / 8,
} as const;

/** Megabits a second of so many texts an hour, each of so many bytes. */
export function megabits(textsPerHour: number, bytesPerText: number): number {
  return ((textsPerHour / HOUR_SECONDS) * bytesPerText * 8) / 1e6;
}
