// Builds ssh2's optional native addon for the Node that runs Trivault (node_modules/.bin/node), not for the one npm runs
// on: an addon built for another Node version does not load, and ssh2 falls back, silently, to ciphers at half the speed.
// The C++ headers come from the npm package node-<os>-<cpu>, so that nothing is downloaded from outside the registry.
//
// They are those of Node 24.18, which makes an addon for all of Node 24: with the headers of 24.19 or later it aborts the
// process as soon as the garbage collector frees the ciphers of a closed connection (nodejs/node#65446, mscdex/ssh2#1511).
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = path.join(root, "node_modules/.bin");
const node = path.join(bin, "node");
const addon = "ssh2/lib/protocol/crypto/build/Release/sshcrypto.node";

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"], ...options });
const ask = (expression) => run(node, ["-p", expression], { stdio: "pipe" }).stdout.toString().trim();
const loads = () => run(node, ["-e", `require(${JSON.stringify(addon)})`], { stdio: "ignore" }).status === 0;
const aborts = () => readFileSync(path.join(root, "node_modules", addon)).includes("RemoveEnvironmentCleanupHook");
const usable = () => loads() && !aborts();

function build() {
  const version = ask("process.versions.node");
  const headers = `node-${process.platform}-${process.arch}@${version.startsWith("24.") ? "24.18.0" : version}`;
  const cache = path.join(root, "node_modules/.cache/trivault");
  const env = {
    ...process.env,
    npm_config_loglevel: "error",
    npm_config_nodedir: path.join(cache, "node_modules", headers.slice(0, headers.indexOf("@"))),
    PATH: `${bin}:${process.env.PATH}`,
  };
  mkdirSync(cache, { recursive: true });
  run("npm", ["install", "--no-save", "--ignore-scripts", "--prefix", cache, headers], { env });
  run("npm", ["rebuild", "ssh2"], { env });
}

if (!usable()) build();
if (!usable()) {
  // Slow ciphers are better than an abort in the middle of a backup.
  rmSync(path.join(root, "node_modules", addon), { force: true });
  console.warn(
    "Trivault: ssh2's native addon could not be built (it needs python3, make and g++); SFTP works, at more CPU.",
  );
}
