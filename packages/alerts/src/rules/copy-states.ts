import { begun, numberIn, safetyOf, textIn, tierPage } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

/** Copies whose manifest no key known here signed: junk, a forgery, or a key that is missing. */
export const untrustedBackups: Rule = {
  clearSeconds: 0,
  keeps: ({ subject }, { overview }) =>
    overview?.health.tiers.some(({ name, reachable }) => name === subject && !reachable) ?? true,
  signs: ({ overview, now }) =>
    (overview?.health.tiers ?? [])
      .filter(({ untrusted, reachable }) => untrusted > 0 && reachable)
      .map(({ name, untrusted }) =>
        sign({
          rule: "untrusted-backups",
          subject: name,
          member: name,
          severity: "warning",
          since: now,
          // One that was good before is made good again in maintenance's next round.
          holdSeconds: 60,
          data: { copies: untrusted },
        }),
      ),
  words(signs, { now }, texts) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const copies = numberIn(first, "copies") ?? 0;
    return { ...texts.untrustedBackups({ tier, copies, ...begun(signs, now) }), link: tierPage(tier) };
  },
};

/** Copies that are there and cannot be read, on a tier that answers: nothing is known of them. */
export const unknownCopies: Rule = {
  clearSeconds: 60,
  signs: ({ overview, now }) =>
    (overview?.health.tiers ?? [])
      .filter(({ unknown, reachable }) => unknown > 0 && reachable)
      .map(({ name, unknown, unknownReason }) =>
        sign({
          rule: "unknown-copies",
          subject: name,
          member: name,
          severity: "warning",
          since: now,
          holdSeconds: 60,
          data: { copies: String(unknown), reason: unknownReason ?? "" },
        }),
      ),
  words(signs, { overview, now }, texts) {
    const [first] = signs;
    const tier = first?.subject ?? "";
    const databases = (overview?.health.databases ?? [])
      .filter(({ tiers }) => tiers.some((each) => each.tier === tier && each.unknown > 0))
      .map(({ name }) => name);
    const text = texts.unknownCopies({
      tier,
      copies: numberIn(first, "copies") ?? 0,
      databases,
      reason: textIn(first, "reason"),
      safety: safetyOf(overview, databases),
      ...begun(signs, now),
    });
    return { ...text, link: tierPage(tier) };
  },
};
