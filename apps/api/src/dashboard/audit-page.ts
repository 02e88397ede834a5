import { DAY_MS } from "@trivault/core";
import { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditFilter } from "@trivault/audit";
import type { AuditPage } from "@trivault/dashboard";
import { z } from "zod";
import type { ApiDeps } from "../deps.ts";
import { readLog } from "./log-lines.ts";

const PAGE = 100;

/** As a form sends it: what was left empty is an empty text, and what makes no sense is as good as that. */
export const auditQuery = z.object({
  database: z.string().max(255).catch(""),
  action: z.enum(AUDIT_ACTIONS).or(z.literal("")).catch(""),
  outcome: z.enum(AUDIT_OUTCOMES).or(z.literal("")).catch(""),
  actor: z.string().max(200).catch(""),
  from: z.iso.date().or(z.literal("")).catch(""),
  to: z.iso.date().or(z.literal("")).catch(""),
  before: z.coerce.number().int().positive().optional().catch(undefined),
});
export type AuditQuery = z.infer<typeof auditQuery>;

/** A page of the audit log, newest first; `before` is the number of the line that the page before ended with. */
export async function auditPageOf({ audit, observer }: ApiDeps, query: AuditQuery): Promise<AuditPage> {
  const { before, ...filter } = query;
  const { lines, more } = await readLog(audit, filterOf(query), {
    order: "newest-first",
    limit: PAGE,
    accept: ({ seq, actor }) =>
      (before === undefined || seq < before) && actor.toLowerCase().includes(query.actor.toLowerCase()),
  });
  const last = lines.at(-1)?.seq;
  const older = new URLSearchParams({ ...filter, before: String(last) });
  for (const [name, value] of Object.entries(filter)) if (value === "") older.delete(name);
  const { health } = await observer.overview();
  return {
    lines,
    filter,
    actions: AUDIT_ACTIONS,
    databases: health.databases.map(({ name }) => name),
    older: more ? `/audit?${older.toString()}` : null,
  };
}

function filterOf({ database, action, outcome, from, to }: AuditQuery): AuditFilter {
  return {
    database: database || undefined,
    action: action || undefined,
    outcome: outcome || undefined,
    from: from === "" ? undefined : new Date(`${from}T00:00:00Z`),
    to: to === "" ? undefined : new Date(Date.parse(`${to}T00:00:00Z`) + DAY_MS - 1),
  };
}
