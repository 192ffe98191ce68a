import { type NativeInfo, type SystemInfo, systemInfo } from "../../index.ts";
import { columns, defineCommand } from "../command.ts";
import { Failure, UsageError } from "../errors.ts";
import { printOut } from "../output/stdout.ts";

type Fields = readonly (readonly [label: string, value: string])[];

export const doctor = defineCommand({
  name: "doctor",
  summary: "show this machine and installation: CPU, variant, library, caches",
  usage: "",
  options: {},
  details: "Exit code 1 when models cannot run here; the last line says why.",
  async run({ positionals }) {
    if (positionals.length > 0) throw new UsageError("takes no arguments");
    const info = await systemInfo();
    await printOut(
      columns([...systemFields(info), ...nativeFields(info.native), ...cacheFields(info)]),
    );
    if (info.problem !== undefined) throw new Failure(info.problem);
  },
});

function systemFields({ version, bun, platform, cpu, cores }: SystemInfo): Fields {
  return [
    ["ggufembed", version],
    ["Bun", bun],
    ["platform", platform],
    ["CPU", cpu],
    ["cores", String(cores)],
  ];
}

function nativeFields(native: NativeInfo | undefined): Fields {
  if (native === undefined) return [["engine", "cannot run here"]];
  return [
    ["library", `${native.library} (ABI ${native.abiVersion})`],
    ["variant", native.variant ?? "none"],
    ["can run", native.variants.join(", ") || "none"],
  ];
}

function cacheFields({ caches }: SystemInfo): Fields {
  return caches.map(({ name, path, exists }, i) => [
    i === 0 ? "caches" : "",
    `${name}: ${path}${exists ? "" : " (not there)"}`,
  ]);
}
