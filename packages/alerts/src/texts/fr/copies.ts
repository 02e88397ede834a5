import type { CopyTexts } from "../texts.ts";
import { age as ageOf, ago, agree, because, count, list, stillSafe } from "./parts.ts";

export const copies: CopyTexts = {
  objectiveMissed({ databases, tiers, late, age, most, safety, since, now }) {
    const [first = ""] = databases;
    const who = databases.length === 1 ? `${first} n’a` : `${count(databases.length, "base")} n’ont`;
    const allowed = most === null ? "" : `, pour ${ageOf(most)} au plus`;
    return {
      title: `${who} aucune copie assez récente sur ${list(tiers)}`,
      what: `${list(databases)}\u00A0: aucune copie vérifiée assez récente sur ${list(tiers)}, depuis le ${ago(since, now)}.${age === null ? "" : ` La plus récente y date d’il y a ${ageOf(age)}${allowed}.`}`,
      safe: stillSafe(safety),
      todo: late
        ? "Les sauvegardes ne se font plus. Vérifiez que le serveur de la base répond et que des workers tournent (`npm run backup:health`), puis lancez-en une\u00A0: `npm run backup:run`."
        : "Les copies n’arrivent pas. Testez le niveau (`npm run backup:sync:test` ou `backup:cloud:test`), puis copiez ce qui manque\u00A0: `backup:sync:sync` ou `backup:cloud:sync`.",
      facts: [
        ["Bases", list(databases)],
        ["Niveaux", list(tiers)],
      ],
    };
  },
  copyLag({ databases, tier, lacking, safety, since, now }) {
    return {
      title: `${count(lacking, "copie")} en retard sur ${tier}`,
      what: `${list(databases)}\u00A0: ${count(lacking, "sauvegarde devrait", "sauvegardes devraient")} être sur ${tier} et n’y ${agree(lacking, "est", "sont")} pas, depuis le ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: "Les copies sont retentées automatiquement. Si le retard dure, cherchez-en la cause dans les tâches du tableau de bord, et vérifiez que la liaison vers le niveau est assez rapide.",
      facts: [
        ["Niveau", tier],
        ["Bases", list(databases)],
        ["Copies", String(lacking)],
      ],
    };
  },
  damageFound({ tier, databases, backups, reason, copies: damaged, safety, since, now }) {
    const what =
      backups.length === 0
        ? `La maintenance a trouvé ${count(damaged, "copie")} impossible${agree(damaged, "", "s")} à restaurer sur ${tier}`
        : `${agree(backups.length, "La sauvegarde", "Les sauvegardes")} ${list(backups)} ne ${agree(backups.length, "peut pas être restaurée", "peuvent pas être restaurées")} depuis ${tier}`;
    return {
      title: `Sauvegardes endommagées sur ${tier}`,
      what: `${what}. Constaté le ${ago(since, now)}.${because(reason)}`,
      safe:
        databases.length > 0
          ? stillSafe(safety)
          : "Les autres niveaux ne sont pas touchés\u00A0: une restauration y prend des données intactes.",
      todo: "La maintenance refait une copie endommagée à partir d’un autre niveau en moins d’un quart d’heure. Si les dommages reviennent, examinez le disque ou le stockage, et relisez tout le niveau\u00A0: `npm run backup:verify -- --backup all`.",
      facts: [["Niveau", tier], ...(databases.length > 0 ? [["Bases", list(databases)] as const] : [])],
    };
  },
};
