// node scripts/complete-lockfile.mjs [--check]
//
// Gives package-lock.json the entries that npm leaves out when a registry does not offer a native package for some other
// system (npm/cli#4828): such a lock looks fine to `npm install`, while `npm ci` refuses it everywhere. Run it after each
// `npm install` that changed a dependency. What is added holds name, version and system, as npm itself would write them,
// but no hash, since this registry could not give it. With --check nothing is written: the exit status says whether it was due.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const SYSTEM =
  /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|loong64|ppc64|riscv64|s390x)(-.+)?$/;

const lock = JSON.parse(readFileSync(FILE, "utf8"));
const missing = Object.values(lock.packages).flatMap((parent) =>
  Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => lock.packages[`node_modules/${name}`] === undefined)
    .map(([name, version]) => [`node_modules/${name}`, entry(name, version, parent)]),
);

if (missing.length === 0) process.exit(0);
console.error(`package-lock.json lacks ${missing.length} native packages for other systems:`);
for (const [place, { version }] of missing) console.error(`  ${place}@${version}`);
if (process.argv.includes("--check")) process.exit(1);

const packages = Object.entries({ ...lock.packages, ...Object.fromEntries(missing) });
// npm's own order: by locale, the root ("") first.
lock.packages = Object.fromEntries(packages.sort(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);

function entry(name, version, parent) {
  const [, os, cpu, abi = ""] = SYSTEM.exec(name) ?? [];
  if (os === undefined || !/^\d/.test(version)) throw new Error(`${name}@${version}: of what system is it?`);
  const libc = os !== "linux" ? undefined : abi.startsWith("-musl") ? ["musl"] : ["glibc"];
  return { version, cpu: [cpu], ...(parent.dev && { dev: true }), ...(libc && { libc }), optional: true, os: [os] };
}
