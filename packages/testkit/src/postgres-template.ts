import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { codeOf } from "@trivault/core";
import { postgresEnv, type PostgresInstallation } from "./postgres-installation.ts";
import { makeTempDir } from "./temp.ts";

const run = promisify(execFile);

const CACHE = path.resolve(import.meta.dirname, "../../../node_modules/.cache/trivault-testkit");

/**
 * Makes `data` the folder of a new server and returns the password of its superuser. `initdb` takes two seconds of computing,
 * a copy of what it makes a tenth of one; so it runs once for each version of PostgreSQL, and its folder is kept in
 * `node_modules/.cache`. All copies have the same password and system identifier.
 */
export async function makeDataFolder(data: string, installation: PostgresInstallation): Promise<string> {
  const template = path.join(CACHE, `postgres-${keyOf(installation)}`);
  if (existsSync(template)) return copy(template, data);
  await using dir = await makeTempDir("tv-initdb");
  await initialize(dir.path, installation);
  await publish(dir.path, template);
  return await copy(dir.path, data); // the folder goes when this returns
}

async function copy(template: string, data: string): Promise<string> {
  // As whoever made it: root keeps the owner, which need not be allowed into node_modules.
  await run("cp", ["-a", path.join(template, "data"), data]);
  return readFile(path.join(template, "password"), "utf8");
}

/** All that a new folder depends on: initdb writes the system's time zone into the server's settings. */
function keyOf({ version, binDir, account }: PostgresInstallation): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const facts = JSON.stringify([version, binDir, account, timeZone, INITDB]);
  return createHash("sha256").update(facts).digest("hex").slice(0, 16);
}

const INITDB = ["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"];

async function initialize(folder: string, { binDir, account }: PostgresInstallation): Promise<void> {
  const [data, passwordFile] = [path.join(folder, "data"), path.join(folder, "password")];
  await writeFile(passwordFile, randomBytes(12).toString("hex"), { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  if (account) for (const item of [folder, passwordFile, data]) await chown(item, account.uid, account.gid);
  const args = ["--pgdata", data, `--pwfile=${passwordFile}`, ...INITDB];
  // cwd: a directory that the account may enter, or the program complains.
  await run(path.join(binDir, "initdb"), args, { cwd: folder, env: postgresEnv(), ...account });
}

/** Under a name of its own first: whoever finds the template finds all of it. */
async function publish(folder: string, template: string): Promise<void> {
  const own = `${template}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(CACHE, { recursive: true, mode: 0o700 });
    await mkdir(own);
    await run("cp", ["-a", `${folder}/.`, own]);
    await rename(own, template);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    // Another process was first, or this user may not write there: the next server runs initdb again.
    if (!["ENOTEMPTY", "EEXIST", "EACCES", "EROFS"].includes(codeOf(error) ?? "")) throw error;
  }
}
