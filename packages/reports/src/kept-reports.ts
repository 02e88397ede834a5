import { rm } from "node:fs/promises";
import path from "node:path";
import type { Anchor } from "@trivault/audit";
import {
  type Config,
  ensureFolder,
  publishJson,
  publishText,
  readJson,
  readOrNull,
  readdirOrEmpty,
} from "@trivault/core";
import { z } from "zod";
import { type Report, reportSchema } from "./report.ts";

/**
 * The reports of a site, in `BACKUP_DIR/.trivault/reports/` (0700, files 0600):
 *
 *     <YYYY-MM-DD>.html        the report of that day's schedule
 *     <YYYY-MM-DD>.json        the same, as report.ts has it
 *     <YYYY-MM-DD>.state.json  written last: that the report was made, and whether it was mailed
 *     lock.db                  empty; one process of the site at a time makes and mails (core's file-lock.ts)
 */
type Place = Pick<Config, "backupDir">;

const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const time = z.iso.datetime().transform((text) => new Date(text));

const stateSchema = z.object({
  madeAt: time,
  period: z.object({ from: time, to: time }),
  well: z.boolean(),
  summary: z.string(),
  mail: z.object({
    attempts: z.int().nonnegative(),
    sentAt: time.nullable(),
    /** Why the last attempt failed. */
    problem: z.string().nullable(),
    /** Not before. */
    nextAt: time.nullable(),
  }),
});
/** A report of before has none. */
const headSchema = z.object({ recordHead: reportSchema.shape.recordHead.unwrap().unwrap() });
export type ReportState = z.infer<typeof stateSchema>;
export type KeptReport = ReportState & { readonly day: string };

export function isDay(text: string): boolean {
  return DAY.test(text);
}

export function reportsFolder({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/reports");
}

/** From then on it is made. */
export async function keepReport(config: Place, day: string, report: Report, html: string): Promise<ReportState> {
  const { madeAt, period, well, summary } = report;
  await ensureFolder(reportsFolder(config));
  await publishText(fileOf(config, day, "html"), html);
  await publishJson(fileOf(config, day, "json"), report);
  const state = stateSchema.parse({
    madeAt,
    period,
    well,
    summary,
    mail: { attempts: 0, sentAt: null, problem: null, nextAt: null },
  });
  await writeReportState(config, day, state);
  return state;
}

export async function writeReportState(config: Place, day: string, state: ReportState): Promise<void> {
  await publishJson(fileOf(config, day, "state.json"), state);
}

/** Null where there is no such report. */
export async function readReportState(config: Place, day: string): Promise<ReportState | null> {
  return isDay(day) ? readJson(fileOf(config, day, "state.json"), stateSchema) : null;
}

/** As it was written; null where there is none. */
export async function readKeptReport(config: Place, day: string, form: "html" | "json"): Promise<string | null> {
  return isDay(day) ? readOrNull(fileOf(config, day, form)) : null;
}

/** The audit log's end as the newest report has it, for whoever checks the audit log. */
export async function headSeenByReports(config: Place): Promise<readonly Anchor[]> {
  const [newest] = (await listReports(config)).map(({ day }) => day);
  if (newest === undefined) return [];
  const text = await readKeptReport(config, newest, "json").catch(() => null);
  const found = headSchema.safeParse(parseJson(text ?? ""));
  return found.success ? [{ ...found.data.recordHead, where: `reports/${newest}.json` }] : [];
}

/** Newest first. One whose state cannot be read is left out. */
export async function listReports(config: Place): Promise<KeptReport[]> {
  const days = (await readdirOrEmpty(reportsFolder(config)))
    .flatMap((name) => (name.endsWith(".state.json") ? [name.slice(0, -".state.json".length)] : []))
    .filter(isDay)
    .toSorted()
    .toReversed();
  const states = await Promise.all(
    days.map(async (day) => ({ day, state: await readReportState(config, day).catch(() => null) })),
  );
  return states.flatMap(({ day, state }) => (state === null ? [] : [{ day, ...state }]));
}

/** The reports of days before this one; the state goes first, so that what is listed can be read. */
export async function removeReportsBefore(config: Place, firstKept: string): Promise<number> {
  const folder = reportsFolder(config);
  const old = (await readdirOrEmpty(folder)).filter(
    (name) => isDay(name.slice(0, 10)) && name.slice(0, 10) < firstKept,
  );
  const order = (name: string) => (name.endsWith(".state.json") ? 0 : 1);
  for (const name of old.toSorted((a, b) => order(a) - order(b))) await rm(path.join(folder, name), { force: true });
  return new Set(old.map((name) => name.slice(0, 10))).size;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function fileOf(config: Place, day: string, ending: string): string {
  return path.join(reportsFolder(config), `${day}.${ending}`);
}
