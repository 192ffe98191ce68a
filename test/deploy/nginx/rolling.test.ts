import { describe, expect, test } from "bun:test";
import { tinyModel } from "../../engine/tiny-model.ts";
import { freshFolder } from "../../fresh-folder.ts";
import { startInstances } from "./instance.ts";
import { exchangesOf, Load } from "./load.ts";
import { restart } from "./restart.ts";
import { hasNginx, skipped, startNginx } from "./start.ts";

const model = tinyModel();
const folder = freshFolder();
const CLIENTS = 16;
const LIMIT_MS = 60_000;

describe.skipIf(!hasNginx)(`Instances behind nginx${skipped}`, () => {
  test(
    "are restarted one after the other under load without one failed request",
    async () => {
      await using instances = await startInstances(3, model.path, ["--threads", "1"]);
      const hosts = instances.map(({ host }) => host);
      await using nginx = await startNginx({ folder: folder.path, instances: hosts });
      const load = new Load(nginx.url, await exchangesOf(instances[0]!.url), CLIENTS);
      await load.more(300);
      for (const instance of instances) {
        expect(await restart(instance, "SIGTERM", load)).toBe(0);
      }
      const { requests, failures } = await load.stop();
      expect(failures).toEqual([]);
      expect(requests).toBeGreaterThan(900);
      // All took part, and it was nginx that bore the restarts.
      const logged = nginx.logged();
      for (const host of hosts) {
        const share = logged.filter(({ upstream }) => upstream.endsWith(host)).length;
        expect(share).toBeGreaterThan(requests / 10);
      }
      expect(logged.filter(({ upstream }) => upstream.includes(", ")).length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  test(
    "may be killed: what they had is asked of another",
    async () => {
      await using instances = await startInstances(3, model.path, ["--threads", "1"]);
      const hosts = instances.map(({ host }) => host);
      await using nginx = await startNginx({ folder: folder.path, instances: hosts });
      const load = new Load(nginx.url, await exchangesOf(instances[0]!.url), CLIENTS);
      await load.more(300);
      for (const instance of instances.slice(0, 2)) {
        expect(await restart(instance, "SIGKILL", load)).toBe(137);
      }
      const { failures } = await load.stop();
      expect(failures).toEqual([]);
      const retried = nginx.logged().filter(({ upstream }) => upstream.includes(", "));
      expect(retried.length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});
