import { writeSync } from "node:fs";
import { once } from "node:events";
import { openAuditLog } from "../src/audit-log.ts";

/**
 * A process of its own that records: `<folder> <name> <count>`, begun when stdin ends. It prints a line for each event once
 * that is acknowledged: `<name> <number> <where it went>`.
 */
const [folder = "", name = "", count = "0"] = process.argv.slice(2);
const log = openAuditLog(folder);
writeSync(1, "ready\n");
await once(process.stdin.resume(), "end");
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
