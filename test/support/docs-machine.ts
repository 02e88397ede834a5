import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { whenGone } from "@trivault/testkit";
import { callCli } from "../../apps/cli/src/testing/call-cli.ts";
import type { Ended } from "../../apps/cli/src/testing/ended.ts";
import { type Block, missingLine, parsePage } from "./docs-page.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** What a fresh clone holds after `npm ci`, as far as a command reads it. */
const CLONE = [
  "package.json",
  "package-lock.json",
  "node_modules",
  "apps",
  "packages",
  "scripts",
  "trivault.schema.json",
];

export interface MachineOptions {
  readonly folder: string;
  /** What stands in the pages, and what it is here. Literally; the longest that fits. */
  readonly real: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** The superuser's URL, for psql. */
  readonly databaseUrl: string;
  /** Shell scripts in place of programs. */
  readonly programs?: Readonly<Record<string, string>>;
  /** What the reader types where a command that contains the key asks. */
  readonly answers?: Readonly<Record<string, string>>;
}

/** A reader at a machine with a fresh clone, who does what a page says. */
export interface Machine extends AsyncDisposable {
  readonly folder: string;
  /** From the first line to the last, or one section; fails where a command does. Resolves to what each block printed. */
  follow(page: string, section?: string): Promise<string[]>;
  sh(commands: string): Promise<Ended>;
  /** One command line of Trivault, without the start of a program: for what the test asks, and no page. */
  trivault(command: string): Promise<Ended>;
  /** `npm start`; one that runs is ended first. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** How the service is, and what it said last: for the message of a test that waits in vain. */
  lastOutput(): string;
}

export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { folder, databaseUrl } = options;
  const clone = path.join(folder, "trivault");
  await mkdir(clone);
  await mkdir(path.join(clone, ".git"));
  for (const name of CLONE) await symlink(path.join(ROOT, name), path.join(clone, name));
  const programs = path.join(folder, "bin");
  await mkdir(programs);
  for (const [name, script] of Object.entries(options.programs ?? {})) {
    await writeFile(path.join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  }
  const env = { PATH: `${programs}:${process.env["PATH"]}`, HOME: folder, USER: userInfo().username, ...options.env };
  // One terminal for a whole page: what a block exports is there in the next.
  const kept = path.join(folder, "exported.sh");
  let service: ChildProcess | null = null;
  let said = "";

  const real = async (text: string) => {
    const values = await options.real();
    const examples = Object.keys(values).toSorted((a, b) => b.length - a.length);
    const any = new RegExp(examples.map((each) => RegExp.escape(each)).join("|"), "g");
    return text.replaceAll(any, (example) => values[example] ?? example);
  };
  const run = async (program: string, args: readonly string[], input: string): Promise<Ended> => {
    const running = promisify(execFile)(program, args, { cwd: clone, env, timeout: 120_000, maxBuffer: 1e8 });
    // One that ended before it read its input shows by its status how.
    running.child.stdin?.on("error", () => {}).end(input);
    return running.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: Error & { code?: number | string; stdout?: string; stderr?: string }) => ({
        code: typeof error.code === "number" ? error.code : -1,
        stdout: error.stdout ?? "",
        stderr: `${error.stderr ?? ""}${typeof error.code === "number" ? "" : error.message}`,
      }),
    );
  };
  const sh = (commands: string) => {
    const answer = Object.entries(options.answers ?? {}).find(([asked]) => commands.includes(asked))?.[1] ?? "";
    const before = existsSync(kept) ? `. ${kept}\n` : "";
    return run("bash", ["-e", "-o", "pipefail", "-c", `${before}${commands}\nexport -p > ${kept}`], answer);
  };
  const stop = async () => {
    const child = service;
    service = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    // The whole group: of npm alone the service would stay, with its port.
    const hurry = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"), 30_000);
    await exited;
    clearTimeout(hurry);
  };
  const start = async () => {
    await stop();
    service = spawn("npm", ["start"], { cwd: clone, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    service.once("exit", whenGone(`kill -s KILL -- -${service.pid}`));
    said = "";
    for (const output of [service.stdout, service.stderr]) {
      output?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)));
    }
    await isUp(service, () => said);
  };
  const carryOut = async (block: Block): Promise<string> => {
    const text = await real(block.text);
    if (block.kind === "file") {
      await appendFile(path.join(clone, block.name), `\n${text}`, { mode: 0o600 });
      return "";
    }
    if (text.trim() === "npm start") {
      await start();
      return "";
    }
    const psql = ["-X", "-v", "ON_ERROR_STOP=1", "-d", databaseUrl];
    const { code, stdout, stderr } = block.kind === "sql" ? await run("psql", psql, text) : await sh(text);
    const missing = block.shown === null ? null : missingLine(await real(block.shown), `${stdout}\n${stderr}`);
    if (code === 0 && missing === null) return stdout + stderr;
    const problem = code === 0 ? `does not print "${missing}"` : `ended with ${code}`;
    throw new Error(`line ${block.line}: ${problem}\n${text}\n${stdout}\n${stderr}`);
  };
  return {
    folder: clone,
    sh,
    trivault: (command) => callCli(command.split(" "), { cwd: clone, env }),
    start,
    stop,
    lastOutput: () => `npm start ${service?.exitCode === null ? "runs" : "does not run"}, and said last:\n${said}`,
    async follow(page, section) {
      const { blocks } = parsePage(await readFile(path.join(ROOT, page), "utf8"));
      const wanted = blocks.filter((block) => section === undefined || block.section === section);
      if (wanted.length === 0) throw new Error(`${page} has nothing to follow under ${section}`);
      await rm(kept, { force: true });
      const printed: string[] = [];
      for (const block of wanted) {
        try {
          printed.push(await carryOut(block));
        } catch (cause) {
          throw new Error(`${page}, ${String(cause)}`, { cause });
        }
      }
      return printed;
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function isUp(child: ChildProcess, said: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  for (const output of [child.stdout, child.stderr]) {
    output?.on("data", () => said().includes("Trivault is up.") && resolve());
  }
  child.once("error", reject);
  child.once("exit", (code) => reject(new Error(`npm start ended with ${code}:\n${said()}`)));
  await promise;
}

/** The ids of a database's backups in a folder, oldest first. */
export async function backupIds(directory: string, database: string): Promise<string[]> {
  const names = await readdir(path.join(directory, database)).catch(() => []);
  return names.filter((name) => existsSync(path.join(directory, database, name, "manifest.json"))).toSorted();
}
