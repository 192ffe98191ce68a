import { fileError, quote } from "../gguf/message.ts";
import { isJsonObject, type JsonFile } from "./json.ts";

/**
 * Settings that change the forward pass: each must be absent or have the only value that GGUF's
 * architecture stands for. Throws `UNSUPPORTED` that names the setting.
 */
export function requireSettings(
  config: JsonFile,
  expected: Readonly<Record<string, unknown>>,
): void {
  for (const [key, value] of Object.entries(expected)) {
    const found = config.values[key] ?? value;
    if (found === value) continue;
    const message = `expected ${quote(String(value))}, found ${quote(String(found))}`;
    const advice = "GGUF cannot state such a model.";
    throw fileError("UNSUPPORTED", config.path, `${quote(key)}: ${message}. ${advice}`);
  }
}

/** The count under the first of these names that is there; throws `BAD_MODEL` for none. */
export function requireCountOf(config: JsonFile, ...names: readonly [string, ...string[]]): number {
  const name = names.find((each) => config.getCount(each) !== undefined) ?? names[0];
  return config.requireCount(name);
}

/**
 * The base of rotary positions, from `rope_parameters` of newer files (for layers of this type,
 * where they differ), or under the name that older ones have. Throws `UNSUPPORTED` for positions
 * that are stretched.
 */
export function readRopeTheta(
  config: JsonFile,
  old: { readonly key: string; readonly implied: number },
  layerType?: string,
): number {
  const parameters = config.getObject("rope_parameters") ?? {};
  const own = layerType === undefined ? undefined : parameters[layerType];
  const stated = isJsonObject(own) ? own : parameters;
  const scaling = [stated, config.getObject("rope_scaling") ?? {}];
  const types = scaling.map(({ rope_type, type }) => rope_type ?? type ?? "default");
  const stretched = types.find((type) => type !== "default");
  if (stretched !== undefined) {
    const message = `rotary positions are scaled (${quote(String(stretched))}): expected "default"`;
    throw fileError("UNSUPPORTED", config.path, message);
  }
  const { rope_theta: theta } = stated;
  return typeof theta === "number" ? theta : (config.getNumber(old.key) ?? old.implied);
}
