import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AuditLog } from "../src/audit-log.ts";

export interface RecordingProcess {
  readonly child: ChildProcess;
  /** What was acknowledged as being on the disk so far: `"<name>.<index of the folder> <number>"`, and where it went. */
  readonly acknowledged: Map<string, string>;
  /** Settles when it runs. */
  readonly ready: Promise<unknown>;
  /** Lets it begin. */
  readonly go: () => void;
  readonly ended: Promise<unknown>;
}

/** A start costs half as much where the one before has left its compiled code. */
const COMPILED = mkdtempSync(path.join(tmpdir(), "audit-compiled-"));
process.once("exit", () => rmSync(COMPILED, { recursive: true, force: true }));

const started = new Set<ChildProcess>();

/** Also those that a failed test left behind, stopped ones too. */
export async function endAll(): Promise<void> {
  const ended = [...started].map((child) => once(child, "close"));
  for (const child of started) child.kill("SIGKILL");
  await Promise.all(ended);
}

/** Records `count` events in each of the folders, in one named twice by two logs. */
export function startRecording(folders: readonly string[], name: string, count: number): RecordingProcess {
  const script = path.join(import.meta.dirname, "recording-process.ts");
  const child = spawn(process.execPath, [script, name, String(count), ...folders], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  started.add(child);
  child.once("close", () => started.delete(child));
  const acknowledged = new Map<string, string>();
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, event, where] = /^(\S+ \d+) (chained|spilled)$/.exec(line) ?? [];
      if (event !== undefined && where !== undefined) acknowledged.set(event, where);
    }
  });
  return {
    child,
    acknowledged,
    ready: once(child.stdout, "data"),
    go: () => child.stdin.end(),
    ended: once(child, "close"),
  };
}

/** The events of such processes that stand in the audit log, each as often as it does. */
export async function recorded(log: AuditLog): Promise<string[]> {
  const found: string[] = [];
  for await (const event of log.query({ action: "backup.copy" })) found.push(`${event.database} ${event.bytes}`);
  return found;
}
