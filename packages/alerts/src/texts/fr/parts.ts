import { localNumbers, tagOf, writeDuration, writeUtc } from "@trivault/core";
import { MOST_NAMED, type SafeDatabase, type Safety } from "../facts.ts";
import { listIn } from "../list.ts";

const numbers = localNumbers("fr");
const tenth = new Intl.NumberFormat(tagOf("fr"), { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const bytes = (value: number) => numbers.bytes(value);
export const utc = (at: Date) => writeUtc("fr", at);

/** With one decimal. */
export const decimal = (value: number) => tenth.format(value);

/** `23 nov. 2026 à 02:14 UTC (il y a 3 h 5 min)`; an article goes before it. */
export function ago(at: Date, now: Date): string {
  return `${utc(at)} (il y a ${age((now.getTime() - at.getTime()) / 1000)})`;
}

export function age(seconds: number): string {
  return writeDuration("fr", Math.max(1, Math.round(seconds)), 2);
}

export const list = listIn("fr", (others) => `${others} autres`);

/** Nought and one are singular. */
export const agree = (n: number, one: string, many: string) => (n < 2 ? one : many);

/** The noun, and what agrees with it. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${numbers.count(n)} ${agree(n, one, many)}`;
}

/** What a program said is none of our words. */
export const quoted = (text: string) => `«\u00A0${text.replace(/\.$/, "")}\u00A0»`;

export const because = (reason: string) => (reason === "" ? "" : ` Message d’erreur\u00A0: ${quoted(reason)}.`);

/** Which tiers hold a good copy of these databases, and how old the newest is there. */
export function stillSafe(safety: Safety): string {
  if (safety === null) return "On ne sait pas ce qui reste en sécurité\u00A0: le site n’a pas pu être examiné.";
  const lines = safety
    .slice(0, MOST_NAMED)
    .map((each) => `${safety.length > 1 ? `${each.database}\u00A0: ` : ""}${copiesOf(each)}`);
  const more = safety.length - MOST_NAMED;
  if (more > 0) lines.push(`et ${count(more, "autre")} sur le tableau de bord`);
  return `Toujours en sécurité\u00A0: ${lines.join("\u00A0; ")}.`;
}

function copiesOf({ copies }: SafeDatabase): string {
  if (copies.length === 0) return "aucun niveau n’a de bonne copie connue";
  return copies
    .map(({ tier, age: seconds, reachable }) => {
      const old = seconds === null ? "copie d’âge inconnu" : `copie d’il y a ${age(seconds)}`;
      return `${tier} (${old}${reachable ? "" : ", au dernier contact"})`;
    })
    .join(", ");
}
