import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../docs/markdown.ts";

export const CONTAINERFILE = join(ROOT, "deploy", "container", "Containerfile");

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly timeoutSeconds?: number;
}

export interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector?: unknown;
    readonly template?: {
      readonly metadata: { readonly labels: unknown };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
        readonly containers: readonly Container[];
      };
    };
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
  };
}

export interface Compose {
  readonly name: string;
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command?: readonly string[];
        readonly environment?: Readonly<Record<string, string>>;
        readonly ports?: readonly string[];
        readonly volumes: readonly string[];
        readonly stop_grace_period: string;
        readonly networks: { readonly inside: { readonly ipv4_address: string } };
      }
    >
  >;
}

const read = (path: string): unknown =>
  Bun.YAML.parse(readFileSync(join(ROOT, "deploy", path), "utf8"));

export const serverManifests = read("kubernetes/server.yaml") as Manifest[];
export const workerManifests = [read("kubernetes/worker.yaml") as Manifest];
export const compose = read("compose/compose.yaml") as Compose;

/** The instructions of a container file, joined where they go on; no comments. */
export function instructionsOf(path: string): { name: string; text: string }[] {
  const lines = readFileSync(path, "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll("\\\n", " ");
  return lines.split("\n").flatMap((line) => {
    const [, name, text] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, text: text!.replaceAll(/ +/g, " ") }];
  });
}
