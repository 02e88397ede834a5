import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fail, say } from "./say.mjs";

/**
 * Makes node_modules what package-lock.json says, and returns the Node in it, which runs everything else. `withAddon`: what is
 * compiled is there as well, also where there was no compiler yet when the packages came.
 */
export function ensureNpmPackages(root, { withAddon }) {
  const node = path.join(root, "node_modules/.bin/node");
  if (!matchesLockfile(root)) {
    say("Trivault: installing npm packages (npm ci), about a minute the first time …");
    // Warnings are left out: this npm may run on an older Node than the one that is being installed, and says so often.
    const args = ["ci", "--loglevel=error", "--no-audit", "--no-fund"];
    const { status, error } = spawnSync("npm", args, { cwd: root, stdio: ["ignore", 2, 2] });
    if (status !== 0) fail(`npm ci failed (${error?.message ?? `exit status ${status}`}); see above.`);
  }
  const { stdout, error } = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (error || !/^v\d/.test(stdout)) {
    fail(
      "npm package `node` has no program in it: its install script did not run. Is npm's ignore-scripts set? Then:\n  npm rebuild node --ignore-scripts=false",
    );
  }
  if (withAddon) spawnSync(node, [path.join(root, "scripts/build-native.mjs")], { cwd: root, stdio: ["ignore", 2, 2] });
  return node;
}

/**
 * npm notes what it installed in node_modules/.package-lock.json. Versions and hashes are compared; packages for other
 * systems are rightly absent.
 */
function matchesLockfile(root) {
  const installedFile = path.join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return false;
  const installed = packagesIn(installedFile);
  return Object.entries(packagesIn(path.join(root, "package-lock.json"))).every(([name, wanted]) => {
    if (!name.includes("node_modules/")) return true;
    const found = installed[name];
    if (!found) return wanted.optional === true || wanted.peer === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function packagesIn(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}
