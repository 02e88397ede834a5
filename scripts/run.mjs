// node scripts/run.mjs demo|test|bench|simulate|robustness [--yes] [arguments]
//
// What a fresh clone starts with: runs on plain Node 20 before anything is installed, brings what is missing (npm packages,
// system programs), then runs the real thing on the Node 24 of node_modules. `--yes` or CI=true installs without asking.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureNpmPackages } from "./lib/npm-packages.mjs";
import { runInOurPlace } from "./lib/run-child.mjs";
import { fail } from "./lib/say.mjs";
import { ensurePrograms } from "./lib/system-packages.mjs";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BIN = path.join(ROOT, "node_modules/.bin");
const JEST = ["node_modules/jest/bin/jest.js"];
const COMMANDS = {
  demo: ["scripts/demo.ts"],
  test: JEST,
  bench: ["bench/main.ts"],
  simulate: ["test/simulation/main.ts"],
  robustness: ["test/robustness/main.ts"],
};

const [command, ...given] = process.argv.slice(2);
const args = given.filter((arg) => arg !== "--yes");
const yes = args.length < given.length || /^(1|true)$/.test(process.env.CI ?? "");

if (!Object.hasOwn(COMMANDS, command ?? ""))
  fail(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join("|")} [--yes]`);
if (Number.parseInt(process.versions.node, 10) < 20) {
  fail(`this is Node ${process.versions.node}, and 20 or newer is needed: see https://nodejs.org/en/download`);
}
if (process.platform !== "linux" && process.platform !== "darwin") {
  fail(`${process.platform} is not supported: Linux and macOS are (on Windows: inside WSL).`);
}
await ensurePrograms(command, { yes });
const node = ensureNpmPackages(ROOT, { withAddon: command === "test" || command === "bench" });
const script = COMMANDS[command];
if (!existsSync(path.join(ROOT, script.at(-1)))) fail(`${script.at(-1)} is missing: is this clone complete?`);
const env = { ...process.env, PATH: `${BIN}${path.delimiter}${process.env.PATH}` };
await runInOurPlace(node, [...script, ...args], { cwd: ROOT, env });
