import { formatBytes } from "../format-bytes.ts";
import { escapeControls } from "../gguf/message.ts";
import type { ListedModel } from "./index.ts";

const HEAD = ["name", "size", "format", "where"];

/** Models for a terminal, one a line below a head: name, size, quantisation, whose cache. */
export function formatModels(models: readonly ListedModel[]): string {
  if (models.length === 0) return "";
  const rows = models.map(({ name, bytes, quantization = "unknown", owner }) => {
    return [name, formatBytes(bytes), quantization, owner].map(escapeControls);
  });
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  const lines = table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}
