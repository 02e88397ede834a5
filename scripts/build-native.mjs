// Builds ssh2's optional native addon for the Node that runs Trivault (node_modules/.bin/node), not for the one npm runs
// on: an addon built for another Node version does not load, and ssh2 falls back, silently, to ciphers at half the speed.
// The C++ headers lie beside that Node (as in its official images), or come from the npm package node-<os>-<cpu>, so that
// nothing is downloaded from outside the registry.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = path.join(root, "node_modules/.bin");
const node = path.join(bin, "node");
const addon = "ssh2/lib/protocol/crypto/build/Release/sshcrypto.node";

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"], ...options });
const loads = () => run(node, ["-e", `require(${JSON.stringify(addon)})`], { stdio: "ignore" }).status === 0;

const ask = (expression) => run(node, ["-p", expression], { stdio: "pipe" }).stdout.toString().trim();

function build() {
  const installed = path.dirname(path.dirname(ask("process.execPath")));
  const headers = `node-${process.platform}-${process.arch}`;
  const cache = path.join(root, "node_modules/.cache/trivault");
  const home = existsSync(path.join(installed, "include/node/node.h"))
    ? installed
    : path.join(cache, "node_modules", headers);
  const env = {
    ...process.env,
    npm_config_loglevel: "error",
    npm_config_nodedir: home,
    PATH: `${bin}:${process.env.PATH}`,
  };
  if (!existsSync(path.join(home, "include"))) {
    mkdirSync(cache, { recursive: true });
    run(
      "npm",
      ["install", "--no-save", "--ignore-scripts", "--prefix", cache, `${headers}@${ask("process.versions.node")}`],
      { env },
    );
  }
  run("npm", ["rebuild", "ssh2"], { env });
}

if (!loads()) build();
if (!loads())
  console.warn(
    "Trivault: ssh2's native addon could not be built (it needs python3, make and g++); SFTP works, at more CPU.",
  );
