import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { once } from "node:events";
import { openAuditLog } from "../packages/audit/src/audit-log.ts";
import { monthFile } from "../packages/audit/src/folder.ts";
import { publishHead } from "../packages/audit/src/head.ts";
import { GENESIS, type Link, prepare, writeLine } from "../packages/audit/src/line.ts";

/**
 * What the audit log costs at a million events: `node bench/audit.ts [<events>]`. Writes a year of them, then measures a day's
 * query, the newest hundred, one append, and the whole verification, and how much memory they take.
 */
const EVENTS = Number(process.argv[2] ?? 1_000_000);
const YEAR_MS = 365 * 86_400_000;
const START = Date.parse("2026-01-01T00:00:00Z");

const folder = await mkdtemp(path.join(tmpdir(), "audit-bench-"));
try {
  await mkdir(folder, { recursive: true });
  report("written", await timed(() => generate(folder)));
  const log = openAuditLog(folder, { now: () => new Date(START + YEAR_MS) });
  const day = { from: new Date("2026-06-15T00:00:00Z"), to: new Date("2026-06-15T23:59:59.999Z") };
  let found = 0;
  for (let round = 1; round <= 3; round += 1) {
    found = 0;
    const ms = await timed(async () => {
      for await (const _ of log.query(day)) found += 1;
    });
    report(`a day's query (${found} events), round ${round}`, ms);
  }
  const failed = await timed(async () => {
    for await (const _ of log.query({ ...day, outcome: "failed" })) found += 1;
  });
  report("a day's failures", failed);
  const newest = await timed(async () => {
    let left = 100;
    for await (const _ of log.query({}, "newest-first")) if ((left -= 1) === 0) break;
  });
  report("the newest 100", newest);
  report("one append", await timed(() => log.record({ action: "backup.copy", outcome: "ok", actor: "schedule" })));
  const verified = await timed(async () => {
    console.log(JSON.stringify(await log.verify()));
  });
  report("verify", verified);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function generate(target: string): Promise<void> {
  let last: Link = GENESIS;
  let size = 0;
  let file = "";
  let stream = null;
  for (let n = 0; n < EVENTS; n += 1) {
    const at = new Date(START + Math.floor((n / EVENTS) * YEAR_MS));
    const event = prepare(
      {
        action: n % 3 === 0 ? "backup.dump" : "backup.copy",
        outcome: n % 100 === 0 ? "failed" : "ok",
        actor: "schedule",
        database: `shop-${n % 100}`,
        backupId: "20261123t020000z-7f3k9xq2",
        tier: "cloud",
        seconds: n % 977,
        bytes: n * 1000,
        details: { attempt: 1 },
      },
      at,
    );
    const { text, link } = writeLine(event, last, at.toISOString());
    last = link;
    if (monthFile(link.at) !== file) {
      stream?.end();
      file = monthFile(link.at);
      size = 0;
      stream = createWriteStream(path.join(target, file), { mode: 0o600 });
    }
    size += text.length;
    if (stream?.write(text) === false) await once(stream, "drain");
  }
  stream?.end();
  if (stream) await once(stream, "close");
  await publishHead(target, { ...last, file, size });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function report(what: string, ms: number): void {
  const memory = Math.round(process.memoryUsage().rss / 1024 / 1024);
  console.log(`${what}: ${ms.toFixed(1)} ms, resident ${memory} MiB`);
}
