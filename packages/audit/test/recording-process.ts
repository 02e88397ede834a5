import { writeSync } from "node:fs";
import { once } from "node:events";
import { type AuditLog, openAuditLog } from "../src/audit-log.ts";

/**
 * A process of its own that records: `<name> <count> <folder> …`, begun when stdin ends. Each folder has a log of its own, also
 * one that is named again: `<name>.0`, `<name>.1`, …, all at once. For each event it prints a line once that is acknowledged:
 * `<name>.<index> <number> <where it went>`.
 */
const [own = "", count = "0", ...folders] = process.argv.slice(2);
const logs = folders.map((folder) => openAuditLog(folder));
writeSync(1, "ready\n");
await once(process.stdin.resume(), "end");
await Promise.all(logs.map((log, index) => record(log, `${own}.${index}`)));

async function record(log: AuditLog, name: string): Promise<void> {
  for (let number = 1; number <= Number(count); number += 1) {
    const where = await log.append({
      action: "backup.copy",
      outcome: "ok",
      actor: "schedule",
      database: name,
      bytes: number,
      details: { text: "x".repeat((number * 37) % 700) },
    });
    writeSync(1, `${name} ${number} ${where}\n`);
  }
  await log.close();
}
