import { shellWord } from "@trivault/core";
import type { CopyTexts } from "../texts.ts";
import { age as ageOf, ago, agree, because, count, list, stillSafe } from "./parts.ts";

export const copies: CopyTexts = {
  databaseVanished({ databases, server, backups, since, now }) {
    const many = databases.length > 1;
    const [first = ""] = databases;
    const kept = agree(backups, "est conservée", "sont conservées");
    return {
      title: `${many ? count(databases.length, "base") : first} ${many ? "ont disparu" : "a disparu"} de ${server}`,
      what: `${list(databases)}\u00A0: présente${many ? "s" : ""} auparavant sur le serveur ${server}, absente${many ? "s" : ""} depuis le ${ago(since, now)}. Aucune nouvelle sauvegarde n’en est faite.`,
      safe:
        backups === 0
          ? "Il n’y en a aucune sauvegarde."
          : `${count(backups, "sauvegarde")} ${kept}\u00A0; aucune règle ne supprime rien tant que la base manque.`,
      todo: `Si ce n’était pas voulu, restaurez\u00A0: \`npm run backup:restore -- --database ${shellWord(first)} --target URL\`. Sinon, prenez-en acte\u00A0: \`npm run backup:acknowledge -- --database ${shellWord(first)}\`, ou dans le tableau de bord. Ses sauvegardes s’éliminent par \`npm run backup:discard -- --database ${shellWord(first)}\`.`,
      facts: [
        ["Bases", list(databases)],
        ["Serveur", server],
        ["Sauvegardes", String(backups)],
      ],
    };
  },
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
  damageFound({ tier, databases, backups, reason, copies: damaged, round, safety, since, now }) {
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
      todo: `La maintenance, qui passe toutes les ${ageOf(round)}, refait une copie endommagée à partir d’un autre niveau. Si les dommages reviennent, examinez le disque ou le stockage, et relisez tout le niveau\u00A0: \`npm run backup:verify -- --backup all\`.`,
      facts: [["Niveau", tier], ...(databases.length > 0 ? [["Bases", list(databases)] as const] : [])],
    };
  },
  untrustedBackups({ tier, copies: untrusted, since, now }) {
    return {
      title: `${count(untrusted, "copie")} non fiable${agree(untrusted, "", "s")} sur ${tier}`,
      what: `${count(untrusted, "copie")} sur ${tier} ${agree(untrusted, "porte", "portent")} un manifeste qu’aucune clé connue ici n’a signé, depuis le ${ago(since, now)}. Quelqu’un d’autre ${agree(untrusted, "l’a écrite ou changée", "les a écrites ou changées")}, ou une clé manque ici.`,
      safe: "Elles ne comptent pour rien\u00A0: aucune restauration ne les prend d’elle-même, aucune règle ne les supprime, et rien n’en est copié.",
      todo: `Voyez lesquelles\u00A0: \`npm run backup:list\`. Si elles sont à vous, ajoutez leur clé de signature à BACKUP_TRUSTED_KEYS. Sinon, cherchez qui peut écrire sur ${tier}, puis retirez leurs dossiers à la main.`,
      facts: [
        ["Niveau", tier],
        ["Copies", String(untrusted)],
      ],
    };
  },
  unknownCopies({ tier, copies: unread, databases, reason, safety, since, now }) {
    return {
      title: `${count(unread, "copie")} illisible${agree(unread, "", "s")} sur ${tier}`,
      what: `${tier} montre ${count(unread, "copie")} sans en donner le contenu, depuis le ${ago(since, now)}. On n’en sait rien\u00A0: ${agree(unread, "elle est peut-être bonne", "elles sont peut-être bonnes")}.${because(reason)}`,
      safe: databases.length > 0 ? stillSafe(safety) : "Les autres niveaux ne sont pas touchés.",
      todo: `Cherchez ce qui refuse\u00A0: les droits du compte ou du bucket (une clé KMS aussi), l’état du serveur ou du disque. ${agree(unread, "Elle est relue", "Elles sont relues")} à chaque passage de la maintenance, et d’ici là rien n’est supprimé ni remplacé.`,
      facts: [
        ["Niveau", tier],
        ["Copies", String(unread)],
        ...(databases.length > 0 ? [["Bases", list(databases)] as const] : []),
      ],
    };
  },
};
