import type { NativeBatch, NativeEngine } from "../native/engine.ts";
import type { LayerFingerprint } from "../types.ts";

/**
 * Runs a batch once for each layer, up to its end.
 *
 * @param layerEnds the plan's operations that end its layers
 */
export function fingerprintLayers(
  engine: NativeEngine,
  batch: NativeBatch,
  layerEnds: readonly number[],
): Promise<LayerFingerprint[]> {
  return Promise.all(
    layerEnds.map(async (probe, layer) =>
      fingerprint(layer, await engine.embed({ ...batch, probe })),
    ),
  );
}

function fingerprint(layer: number, states: Float32Array): LayerFingerprint {
  const squares = states.reduce((total, x) => total + x * x, 0);
  const digest = new Bun.CryptoHasher("sha256").update(states).digest("hex").slice(0, 16);
  return { layer, rms: Math.sqrt(squares / states.length), digest };
}
