import { isVanished } from "@trivault/maintenance";
import { begun, pageOf, sumOf } from "../sign-facts.ts";
import { type Rule, sign } from "./rule.ts";

/** A discovered database that its server holds no more, until it is back or somebody has taken note. */
export const databaseVanished: Rule = {
  clearSeconds: 0,
  // Whether it is gone is not known where the site cannot be looked at.
  keeps: (_sign, { overview }) => overview === null,
  signs: ({ overview, now }) =>
    (overview?.health.orphans ?? []).filter(isVanished).map(({ name, server, since, backups }) =>
      sign({
        rule: "database-vanished",
        subject: server ?? name,
        member: name,
        severity: "critical",
        since: since === null ? now : new Date(since),
        data: { backups },
      }),
    ),
  words(signs, { now }, texts) {
    const databases = signs.map(({ member }) => member);
    const text = texts.databaseVanished({
      databases,
      server: signs[0]?.subject ?? "",
      backups: sumOf(signs, "backups"),
      ...begun(signs, now),
    });
    return { ...text, link: pageOf(databases) };
  },
};
