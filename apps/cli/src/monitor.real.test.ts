import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { freePort, makeTempDir, type TempDir } from "@trivault/testkit";

/** `trivault monitor start`, as a person starts and ends it. */

const CLI = path.resolve(import.meta.dirname, "main.js");

let dir: TempDir;
let port: number;
const children: ChildProcess[] = [];
beforeEach(async () => {
  dir = await makeTempDir("tv-monitor");
  port = await freePort();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await expectFree();
  await dir.remove();
});

function start(settings: Readonly<Record<string, string>> = { BACKUP_API_OPEN: "true" }) {
  const child = spawn(process.execPath, [CLI, "monitor", "start"], {
    cwd: dir.path,
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: "postgresql://user:db-password@127.0.0.1:1/shop",
      BACKUP_DIR: path.join(dir.path, "backups"),
      BACKUP_SPOOL_DIR: path.join(dir.path, "spool"),
      BACKUP_ENCRYPTION: "none",
      BACKUP_API_PORT: String(port),
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  const ended = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  return { child, said, ended };
}

async function ready({ said, child }: ReturnType<typeof start>): Promise<string> {
  while (!said.stdout.includes("\n")) {
    if (child.exitCode !== null) throw new Error(`it ended: ${said.stderr}`);
    await sleep(50);
  }
  return /^Dashboard +(http:\S+)\/\n$/.exec(said.stdout)?.[1] ?? said.stdout;
}

/** Nobody listens any more: whatever was started has ended. */
async function expectFree(): Promise<void> {
  for (;;) {
    const server = createServer();
    const outcome = await new Promise((resolve) => {
      server.once("error", () => resolve("taken"));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve("free")));
    });
    if (outcome === "free") return;
    await sleep(50);
  }
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "it shows its address, shows the first page without a queue, and ends in order by %s",
  async (signal) => {
    const program = start();
    const url = await ready(program);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    const page = await fetch(`${url}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(
      /shop is not safe.*queue cannot be reached|queue cannot be reached.*shop is not safe/s,
    );
    program.child.kill(signal);
    expect(await program.ended).toBe(0);
    expect(program.said.stderr).toMatch(/"msg":"closed"/);
    await expectFree();
  },
);

test("what the API cannot do is reported by it, and its failure handed on", async () => {
  const taken = createServer().listen(port, "127.0.0.1");
  await once(taken, "listening");
  const program = start();
  expect(await program.ended).toBe(1);
  taken.close();
  expect(program.said.stderr).toMatch(/EADDRINUSE.*BACKUP_API_PORT/);
  expect(program.said.stdout).toBe("");
});

test("where it is killed, the dashboard ends as well", async () => {
  const program = start();
  await ready(program);
  program.child.kill("SIGKILL");
  await program.ended;
  await expectFree();
});
