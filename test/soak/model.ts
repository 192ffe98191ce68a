import { ensureMiniLM } from "../../scripts/models.ts";
import { ensureSynth } from "../../scripts/synth.ts";
import type { Size } from "./figure.ts";

/** A real model; at the tiny size a small one that needs no network. */
export function soakModel(size: Size): Promise<string> {
  return size === "full" ? ensureMiniLM() : ensureSynth("mini");
}
