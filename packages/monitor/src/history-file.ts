import { createHash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { ReadMark } from "@trivault/audit";
import { VERSION } from "@trivault/backup";
import { type Config, ensureFolder, HOUR_MS, modifiedAt, publishText, readdirOrEmpty } from "@trivault/core";
import { z } from "zod";
import { readFacts, writeFacts } from "./facts-json.ts";
import { type DatabaseHistory, type HistoryState, newState } from "./history-state.ts";
import { missedRun, restoration, run, verificationRow } from "./view-schema.ts";

/**
 * What the audit log amounted to when somebody read it, kept so that the next start need not read all of it again:
 * `BACKUP_DIR/.trivault/monitor/history.json`, a line of JSON for the head, one for the site, two for each database. It is a cache,
 * and the audit log is what counts: it is used only by the very version that wrote it, where its own bytes have the digest in the
 * head, and (by `mark`) where the audit log still holds every byte that was read. Else it is as if it were not there.
 */
export interface HistoryFile {
  /** Null where there is none that can be used. */
  read(local: string): Promise<KeptHistory | null>;
  write(kept: KeptHistory, local: string): Promise<void>;
}

export interface KeptHistory {
  readonly state: HistoryState;
  /** What of the audit log it is made of. */
  readonly mark: ReadMark;
  /** When was taken out of it what is no longer shown; milliseconds. */
  readonly prunedAt: number;
}

const FORMAT = "trivault-history 1";
/** A site of three quarters of a million backups; beyond this the audit log is read. */
const MOST_BYTES = 256 * 1024 * 1024;
/** A file that a process was killed at is no longer written after this. */
const LEFT_OVER_MS = HOUR_MS;

const time = z.iso.datetime();
const outcome = z.enum(["ok", "failed", "refused"]);
const size = z.int().nonnegative();
const siteSchema = z.object({
  /** Copies on this tier are no copies elsewhere. */
  local: z.string(),
  prunedAt: z.number(),
  mark: z.object({
    since: time,
    parts: z.array(z.object({ file: z.string(), from: size, to: size, sha256: z.string() })),
    last: z.object({ at: time, seq: size }).nullable(),
  }),
  lastCopyAt: z.number().nullable(),
  failedCopies: z.array(z.tuple([z.string(), z.number()])),
  verifications: z.array(z.tuple([z.string(), z.array(verificationRow)])),
});
const rowSchema = z.object({
  name: z.string(),
  strip: z.array(run.pick({ backupId: true, startedAt: true, state: true, seconds: true, bytes: true, rows: true })),
  runs: size,
  runsOk: size,
});
const databaseSchema = z.object({
  name: z.string(),
  oldestAt: z.number(),
  lastRun: z.object({ outcome, at: z.number(), problem: z.string().nullable() }).nullable(),
  missed: z.array(missedRun),
  restores: z.array(restoration),
  row: z
    .object({ row: rowSchema, from: z.number(), until: z.number(), tiers: z.array(z.string()).nullable() })
    .nullable(),
});

export function openHistoryFile({ backupDir }: Pick<Config, "backupDir">): HistoryFile {
  const folder = path.join(backupDir, ".trivault/monitor");
  const file = path.join(folder, "history.json");
  return {
    async read(local) {
      try {
        if ((await stat(file)).size > MOST_BYTES) return null;
        return decode(await readFile(file), local);
      } catch {
        return null; // whatever is the matter with it: the audit log is there
      }
    },
    async write(kept, local) {
      const text = encode(kept, local);
      if (text.length > MOST_BYTES) return;
      await ensureFolder(folder);
      await removeLeftOvers(folder, `${path.basename(file)}.`);
      await publishText(file, text);
    },
  };
}

function encode({ state, mark, prunedAt }: KeptHistory, local: string): string {
  const { databases, failedCopies, verifications, lastCopyAt } = state;
  const site: z.input<typeof siteSchema> = {
    local,
    prunedAt,
    mark: { ...mark, parts: [...mark.parts] },
    lastCopyAt: lastCopyAt?.getTime() ?? null,
    failedCopies: [...failedCopies],
    verifications: [...verifications],
  };
  const lines = [...databases].flatMap(([name, history]) => [
    JSON.stringify(encodeDatabase(name, history)),
    JSON.stringify(Array.from(history.backups().values(), writeFacts)),
  ]);
  const body = [JSON.stringify(site), ...lines].join("\n");
  return `${headOf(Buffer.from(body))}\n${body}`;
}

/** Null, or an error, for what was not written by this version. */
function decode(bytes: Buffer, local: string): KeptHistory | null {
  const [head = NOTHING, first = NOTHING, ...lines] = linesOf(bytes);
  if (head.toString() !== headOf(bytes.subarray(head.length + 1))) return null;
  const site = siteSchema.parse(JSON.parse(first.toString()));
  if (site.local !== local) return null;
  const state = newState();
  state.lastCopyAt = site.lastCopyAt === null ? null : new Date(site.lastCopyAt);
  for (const [name, failedAt] of site.failedCopies) state.failedCopies.set(name, failedAt);
  for (const [tier, rows] of site.verifications) state.verifications.set(tier, rows);
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const { name, ...history } = decodeDatabase(lines[index] ?? NOTHING, lines[index + 1] ?? NOTHING);
    state.databases.set(name, history);
  }
  return { state, mark: site.mark, prunedAt: site.prunedAt };
}

function encodeDatabase(name: string, history: DatabaseHistory): z.input<typeof databaseSchema> {
  const { missed, restores, lastRun, row, oldestAt } = history;
  return {
    name,
    // Of what is none JSON knows no infinity.
    oldestAt: Number.isFinite(oldestAt) ? oldestAt : Number.MAX_SAFE_INTEGER,
    lastRun: lastRun && { ...lastRun, at: lastRun.at.getTime() },
    missed,
    restores,
    row: row && {
      ...row,
      row: { ...row.row, strip: [...row.row.strip] },
      tiers: row.tiers && [...row.tiers],
    },
  };
}

function decodeDatabase(line: Buffer, facts: Buffer): DatabaseHistory & { readonly name: string } {
  const { lastRun, ...rest } = databaseSchema.parse(JSON.parse(line.toString()));
  return {
    ...rest,
    lastRun: lastRun && { ...lastRun, at: new Date(lastRun.at) },
    backups: onceAsked(() => {
      const list: readonly unknown[] = JSON.parse(facts.toString());
      return new Map(list.map((each) => readFacts(each, rest.name)).map((each) => [each.backupId, each]));
    }),
  };
}

/** Made when it is asked for first; what it is made of is let go then. */
function onceAsked<T>(make: () => T): () => T {
  let first: (() => T) | null = make;
  let made: T;
  return () => {
    if (first !== null) made = first();
    first = null;
    return made;
  };
}

const NOTHING = Buffer.alloc(0);

/** Not decoded: most of them are not looked at for a long time. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let end = bytes.indexOf("\n"); end !== -1; end = bytes.indexOf("\n", from)) {
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return [...lines, bytes.subarray(from)];
}

function headOf(body: Buffer): string {
  return JSON.stringify({ format: FORMAT, program: VERSION, sha256: createHash("sha256").update(body).digest("hex") });
}

/** Of writers that were killed. */
async function removeLeftOvers(folder: string, prefix: string): Promise<void> {
  for (const name of (await readdirOrEmpty(folder)).filter((each) => each.startsWith(prefix))) {
    const file = path.join(folder, name);
    const at = await modifiedAt(file);
    if (at !== 0 && Date.now() - at > LEFT_OVER_MS) await rm(file, { force: true });
  }
}
