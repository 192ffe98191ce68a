import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../ports.ts";
import { type Part, readConfig, switchOn } from "./config.ts";

export const hasNginx = Bun.which("nginx") !== null;
/** For a test's name. */
export const skipped = hasNginx ? "" : " (skipped: no nginx on the PATH)";

/** A line of the access log. */
export interface Logged {
  readonly id: string;
  readonly status: number;
  /** Addresses of the instances that were asked, in turn. */
  readonly upstream: string;
  readonly upstream_status: string;
}

export interface Nginx extends AsyncDisposable {
  /** What the world sees. */
  readonly url: string;
  /** What the machine itself sees. */
  readonly innerUrl: string;
  readonly port: number;
  logged(): Logged[];
  /** What it complained about. */
  errors(): string;
}

export interface NginxOptions {
  readonly folder: string;
  /** `host:port` of each. */
  readonly instances: readonly string[];
  readonly parts?: readonly Part[];
  /** A last word on the configuration of the servers. */
  readonly edit?: (config: string) => string;
}

/**
 * Debian's nginx with the files of deploy/. Of those only addresses and paths are changed; `parts`
 * are switched on.
 */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { folder, instances, parts = [], edit = (config: string) => config } = options;
  const [port, innerPort, tlsPort] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(join(folder, "tmp"), { recursive: true });
  const upstream = readConfig("upstream.conf");
  const line = /^ +server \S+( .*;)$/m.exec(upstream);
  if (line === null) throw new Error("upstream.conf names no instance");
  const servers = instances.map((instance) => `    server ${instance}${line[1]}`).join("\n");
  const addressed = upstream.replaceAll(/^ +server .*\n/gm, "");
  write(folder, "upstream.conf", addressed.replace("least_conn;", `least_conn;\n${servers}`));
  const config = parts.reduce(switchOn, readConfig("ggufembed.conf"));
  const placed = config
    .replace("listen 8080;", `listen 127.0.0.1:${port};`)
    .replace("listen 8443", `listen 127.0.0.1:${tlsPort}`)
    .replace("listen 127.0.0.1:8090;", `listen 127.0.0.1:${innerPort};`)
    .replaceAll("/var/log/nginx/", `${folder}/`)
    .replaceAll("/etc/nginx/", `${folder}/`);
  write(folder, "ggufembed.conf", edit(placed));
  write(folder, "nginx.conf", mainConfig(folder));
  const command = ["nginx", "-p", folder, "-c", join(folder, "nginx.conf"), "-e", "error.log"];
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"] });
  const said = child.stderr.text();
  const errors = () =>
    existsSync(join(folder, "error.log")) ? readFileSync(join(folder, "error.log"), "utf8") : "";
  const innerUrl = `http://127.0.0.1:${innerPort}/`;
  while (!(await answers(`${innerUrl}status`))) {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${await said}${errors()}`);
    await Bun.sleep(5);
  }
  const isTls = parts.includes("tls");
  return {
    url: isTls ? `https://127.0.0.1:${tlsPort}/` : `http://127.0.0.1:${port}/`,
    innerUrl,
    port,
    errors,
    logged: () =>
      readFileSync(join(folder, "access.log"), "utf8")
        .split("\n")
        .filter((text) => text !== "")
        .map((text) => JSON.parse(text) as Logged),
    async [Symbol.asyncDispose]() {
      child.kill("SIGQUIT");
      const late = setTimeout(() => child.kill("SIGTERM"), 1000);
      await child.exited;
      clearTimeout(late);
    },
  };
}

function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

/** What /etc/nginx/nginx.conf is on Debian, with every path in a folder of the test's own. */
function mainConfig(folder: string): string {
  // Workers of another user could not write into the folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const places = kinds.map((kind) => `${kind}_temp_path ${folder}/tmp/${kind};`);
  return `${user}
daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 768; }
http {
  ${places.join("\n  ")}
  include ${folder}/upstream.conf;
  include ${folder}/ggufembed.conf;
}
`;
}

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
