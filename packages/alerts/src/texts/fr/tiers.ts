import type { TierTexts } from "../texts.ts";
import { age, ago, agree, because, bytes, count, decimal, list, stillSafe, utc } from "./parts.ts";

const percent = (share: number) => `${decimal(share * 100)}\u00A0%`;

export const tiers: TierTexts = {
  tierUnreachable({ tier, databases, reason, safety, since, now }) {
    return {
      title: `Le niveau ${tier} est injoignable`,
      what: `${tier} ne répond pas depuis le ${ago(since, now)}\u00A0: rien de nouveau n’y est copié. ${count(databases.length, "base doit", "bases doivent")} s’y trouver.${because(reason)}`,
      safe: stillSafe(safety),
      todo: `Cherchez l’étape qui échoue\u00A0: \`npm run backup:sync:test\` (serveurs) ou \`backup:cloud:test\` (buckets). Dès que ${tier} répond, tout ce qui manque est copié automatiquement.`,
      facts: [
        ["Niveau", tier],
        ["Bases", list(databases)],
      ],
    };
  },
  tierFilling({ tier, free, share, fullAt, since, now }) {
    const left = fullAt && age((fullAt.getTime() - now.getTime()) / 1000);
    const size = free === null ? null : `${bytes(free)}${share === null ? "" : ` (${percent(share)})`}`;
    const room = size === null ? "" : ` Il reste ${size}.`;
    const when = fullAt && ` Au rythme des derniers jours, il sera plein dans ${left}, le ${utc(fullAt)}.`;
    return {
      title: left
        ? `Le niveau ${tier} sera plein dans ${left}`
        : `Le niveau ${tier} n’a ${share === null ? "presque plus de place" : `plus que ${percent(share)} de libre`}`,
      what: `${tier} se remplit. Constaté le ${ago(since, now)}.${room}${when ?? ""}`,
      safe: "Toutes les copies qui s’y trouvent restent bonnes. Une fois le niveau plein, les nouvelles échouent.",
      todo: "Donnez-lui plus d’espace, conservez moins de sauvegardes (`retention`), ou cherchez ce qui occupe la place. La commande de nettoyage du niveau avec --dry-run montre ce qui serait supprimé.",
      facts: [["Niveau", tier], ...(size === null ? [] : [["Libre", size] as const])],
    };
  },
  tierOverBudget({ tier, used, budget, stops, since, now }) {
    const [taken, allowed] = [used, budget].map((each) => (each === null ? null : bytes(each)));
    return {
      title: `Le niveau ${tier} dépasse son budget`,
      what: `Les sauvegardes sur ${tier} occupent ${taken ?? "plus que permis"}${allowed ? `, pour un budget de ${allowed}` : ""}, depuis le ${ago(since, now)}.${stops ? " Les nouvelles copies sont refusées." : ""}`,
      safe: "Toutes les copies qui s’y trouvent restent.",
      todo: `Relevez tiers.${tier}.budget dans le fichier de configuration, ou conservez-y moins de sauvegardes (\`retention\`).`,
      facts: [
        ["Niveau", tier],
        ...(taken ? [["Utilisé", taken] as const] : []),
        ...(allowed ? [["Budget", allowed] as const] : []),
      ],
    };
  },
  tierShrunk({ tier, databases, copies, safety, since, now }) {
    return {
      title: `${count(copies, "copie a", "copies ont")} disparu de ${tier}`,
      what: `${count(copies, "copie")} de ${list(databases)} sur ${tier} ${agree(copies, "a disparu ou n’est plus entière", "ont disparu ou ne sont plus entières")}, et ce n’est pas le fait de Trivault. Constaté le ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: `Cherchez qui peut supprimer sur ${tier}, et ce qui s’est passé\u00A0: un disque, une règle de cycle de vie, une personne, un intrus. Ce qu’un autre niveau contient encore est recopié automatiquement. L’alerte prend fin quand plus rien ne manque.`,
      facts: [
        ["Niveau", tier],
        ["Bases", list(databases)],
        ["Copies", String(copies)],
      ],
    };
  },
};
