import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALERTMANAGER, PROMETHEUS, RULES, readYaml } from "./tools.ts";

const INTERVAL = "200ms";

interface Target {
  static_configs: { targets: string[] }[];
}
interface Config {
  global: { scrape_interval: string; evaluation_interval: string };
  alerting: { alertmanagers: Target[] };
  scrape_configs: Target[];
}

/** An alert as Alertmanager tells of it. */
export interface Told {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: { readonly state: "active" | "suppressed" | "unprocessed" };
}

export interface Monitoring extends AsyncDisposable {
  /** A query's samples. */
  query(expression: string): Promise<readonly object[]>;
  alerts(): Promise<readonly Told[]>;
  /** Raises alerts in Alertmanager, by their labels. */
  tell(alerts: readonly Told["labels"][]): Promise<void>;
}

/**
 * Prometheus and Alertmanager with the files of deploy/, looking at a server. Of those files only
 * addresses and times are changed: alerts do not wait, and intervals are short.
 */
export async function startMonitoring(server: URL, folder: string): Promise<Monitoring> {
  const alertmanager = await startTool([
    "prometheus-alertmanager",
    `--config.file=${ALERTMANAGER}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    // It looks for no others of its kind.
    "--cluster.listen-address=",
  ]);
  const config = readYaml<Config>(PROMETHEUS);
  config.global = { scrape_interval: INTERVAL, evaluation_interval: INTERVAL };
  config.alerting.alertmanagers[0]!.static_configs[0]!.targets = [alertmanager.host];
  config.scrape_configs[0]!.static_configs[0]!.targets = [server.host];
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, JSON.stringify(config));
  const rules = readFileSync(RULES, "utf8").replaceAll(/^ +for: \w+$/gm, "");
  writeFileSync(join(folder, "ggufembed.rules.yml"), rules);
  const prometheus = await startTool([
    "prometheus",
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
  ]);
  return {
    async query(expression) {
      const answer = await ask(
        prometheus.host,
        `api/v1/query?query=${encodeURIComponent(expression)}`,
      );
      return (answer as { data: { result: object[] } }).data.result;
    },
    async alerts() {
      return (await ask(alertmanager.host, "api/v2/alerts")) as Told[];
    },
    async tell(alerts) {
      const response = await fetch(`http://${alertmanager.host}/api/v2/alerts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(alerts.map((labels) => ({ labels }))),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([prometheus.stop(), alertmanager.stop()]);
    },
  };
}

async function ask(host: string, path: string): Promise<unknown> {
  const response = await fetch(`http://${host}/${path}`);
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return await response.json();
}

/** Starts one of the two on a free port, which it tells in its log. */
async function startTool(command: string[]) {
  const child = Bun.spawn([...command, "--web.listen-address=127.0.0.1:0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  let log = "";
  const listening = Promise.withResolvers<string>();
  // To its end: who does not read lets it wait.
  void (async () => {
    for await (const part of child.stderr) {
      log += new TextDecoder().decode(part);
      const host = /msg="Listening on" address=(\S+)/.exec(log)?.[1];
      if (host !== undefined) listening.resolve(host);
    }
    listening.reject(new Error(`${command[0]} ended:\n${log}`));
  })();
  const host = await listening.promise;
  while (!(await fetch(`http://${host}/-/ready`)).ok) await Bun.sleep(10);
  return { host, stop };
}
