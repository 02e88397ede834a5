import { visibleLine } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import type { Safety } from "./texts/facts.ts";
import type { Sign } from "./types.ts";

/** Since when, for the texts. */
export function begun(signs: readonly Sign[], now: Date): { since: Date; now: Date } {
  return { since: new Date(Math.min(...signs.map((sign) => sign.since.getTime()))), now };
}

/** A text of a sign, for the texts: no name or message of a stranger begins a line or a paragraph of its own. */
export function textIn(sign: Sign | undefined, name: string): string {
  const value = sign?.data[name];
  return typeof value === "string" ? visibleLine(value) : "";
}

/** A number of a sign; null where it is not known. */
export function numberIn(sign: Sign | undefined, name: string): number | null {
  const value = sign?.data[name];
  return typeof value === "number" ? value : null;
}

export function sumOf(signs: readonly Sign[], name: string): number {
  return signs.reduce((sum, each) => sum + (numberIn(each, name) ?? 0), 0);
}

/** Which tiers hold a good copy of these databases, and how old the newest is there. */
export function safetyOf(overview: Overview | null, databases: readonly string[]): Safety {
  if (overview === null) return null;
  const { health } = overview;
  const reachable = new Map(health.tiers.map((tier) => [tier.name, tier.reachable]));
  return [...new Set(databases)].map((database) => {
    const tiers = health.databases.find(({ name }) => name === database)?.tiers ?? [];
    const good = tiers.filter(({ newestBackupId }) => newestBackupId !== null);
    return {
      database,
      copies: good.map(({ tier, ageSeconds }) => {
        return { tier, age: ageSeconds, reachable: reachable.get(tier) !== false };
      }),
    };
  });
}

/** The page of the only one, or the overview. */
export function pageOf([first, ...others]: readonly string[]): string {
  return first === undefined || others.length > 0 ? "/" : `/databases/${encodeURIComponent(first)}`;
}

export const tierPage = (name: string) => `/tiers/${encodeURIComponent(name)}`;
export const backupPage = (backupId: string) => `/backups/${encodeURIComponent(backupId)}`;
