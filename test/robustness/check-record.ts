import { auditFolder, type AuditLog, openAuditLog, type RecordedEvent } from "@trivault/audit";
import type { Claim } from "./check-tiers.ts";
import { copyName, type Model } from "./model.ts";
import type { World } from "./world.ts";

/** Reads what was recorded since the last look: each copy that is called done must be there, and the chain must be whole. */
export async function checkRecord(world: World, model: Model): Promise<{ problems: string[]; claims: Claim[] }> {
  return withRecord(world, async (log) => {
    const claims: Claim[] = [];
    const { seq, at } = model.readTo;
    for await (const event of log.query({ from: at })) {
      if (event.seq <= seq) continue;
      model.readTo = { seq: event.seq, at: event.at };
      const claim = claimOf(event);
      if (claim !== null && !model.harmed.has(copyName(claim))) claims.push(claim);
    }
    const verdict = await log.verify();
    const problems = verdict.ok ? [] : [`the audit log is broken: ${JSON.stringify(verdict.problems.slice(0, 3))}`];
    return { problems, claims };
  });
}

/** The harms that were to be noticed, and that nothing in the audit log speaks of. */
export async function unnoticed(world: World, model: Model): Promise<string[]> {
  return withRecord(world, async (log) => {
    const missed = new Set(model.harms.filter(({ kind, known }) => kind === "deleted" && known));
    const filter = { action: ["tier.vanished", "tier.shrunk"] } as const;
    for await (const { seq, tier, database } of log.query(filter)) {
      for (const harm of missed)
        if (seq > harm.seq && harm.tier === tier && harm.database === database) missed.delete(harm);
    }
    return [...missed].map(
      (harm) => `${copyName(harm)} was deleted by hand after event ${harm.seq}, and nothing shows it`,
    );
  });
}

async function withRecord<T>({ config }: World, look: (log: AuditLog) => Promise<T>): Promise<T> {
  const log = openAuditLog(auditFolder(config.backupDir));
  try {
    return await look(log);
  } finally {
    await log.close();
  }
}

function claimOf({ action, outcome, tier, database, backupId, seq }: RecordedEvent): Claim | null {
  if (outcome !== "ok" || (action !== "backup.copy" && action !== "backup.encrypt")) return null;
  if (tier === undefined || database === undefined || backupId === undefined) return null;
  return { tier, database, backupId, by: `event ${seq} (${action})` };
}
