import { spawnSync } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { missingPrograms, runs } from "./programs.mjs";
import { fail, say } from "./say.mjs";

const APT_SCRIPT = fileURLToPath(new URL("apt-install.sh", import.meta.url));

/** Makes sure that the programs `command` needs are there: says what is missing and why, asks, installs, checks again. */
export async function ensurePrograms(command, { yes }) {
  const missing = missingPrograms(command);
  if (missing.length === 0) return;
  const installer = findInstaller(missing);

  say(`\nnpm ${command === "test" ? "test" : `run ${command}`} needs programs that are not on this machine:`);
  const width = Math.max(...missing.map(({ name }) => name.length));
  for (const { name, why } of missing) say(`  ${name.padEnd(width)}  ${why}`);
  if (installer === null) fail("install them with this system's package manager, then run the same command again.");
  if (installer.without.length > 0) fail(`no package here brings ${installer.without.join(", ")}.`);
  say(`\nThis installs them:\n  ${installer.byHand}`);
  say("Trivault runs servers of its own on free ports: the system's services are neither started nor enabled.");

  if (installer.command === null) fail("installing needs root or sudo: have the line above run, then try again.");
  if (!yes && !process.stdin.isTTY) fail("there is no terminal to ask on: run the line above, or add --yes.");
  if (!yes && !(await agrees())) fail("nothing was installed.");
  const [program, ...args] = installer.command;
  const { status, error } = spawnSync(program, args, { stdio: ["inherit", 2, 2] });
  if (status !== 0) fail(`installing failed (${error?.message ?? `${program} ended with ${status}`}); see above.`);

  const still = missingPrograms(command);
  if (still.length > 0) fail(`these are still missing: ${still.map(({ name }) => name).join(", ")}.`);
}

/** How packages are installed here; null where neither apt-get nor brew is. `command` is null without root or sudo. */
function findInstaller(missing) {
  const kind = has("apt-get") ? "apt" : has("brew") ? "brew" : null;
  if (kind === null) return null;
  const without = missing.filter((program) => program[kind] === null).map(({ name }) => name);
  const packages = [...new Set(missing.map((program) => program[kind]))].filter((name) => name !== null);
  if (kind === "brew") {
    return { without, byHand: `brew install ${packages.join(" ")}`, command: ["brew", "install", ...packages] };
  }
  const root = process.getuid() === 0;
  const sudo = root ? "" : "sudo ";
  const byHand = `${sudo}apt-get update && ${sudo}apt-get install --no-install-recommends ${packages.join(" ")}`;
  const units = [...new Set(missing.flatMap(({ services }) => services))];
  const script = ["sh", APT_SCRIPT, ...packages, "--", ...units];
  // Without a terminal sudo could only wait for a password that nobody types.
  const asRoot = ["sudo", ...(process.stdin.isTTY ? [] : ["-n"]), ...script];
  return { without, byHand, command: root ? script : has("sudo") ? asRoot : null };
}

function has(program) {
  return (process.env.PATH ?? "").split(path.delimiter).some((dir) => runs(dir, program));
}

async function agrees() {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise((resolve) => {
    terminal.question("\nInstall now? [y/N] ", resolve);
    terminal.once("close", () => resolve(""));
  });
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
