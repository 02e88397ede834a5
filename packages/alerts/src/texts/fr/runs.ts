import { type Change, MOST_NAMED, type Sizes, timesOf } from "../facts.ts";
import type { RunTexts } from "../texts.ts";
import { age, ago, because, bytes as bytesOf, count, decimal, list, stillSafe } from "./parts.ts";

export const runs: RunTexts = {
  runFailed({ databases, server, code, reason, safety, since, now }) {
    const [first = ""] = databases;
    const several = `${count(databases.length, "base")}${server === "" ? "" : ` de ${server}`}`;
    return {
      title: databases.length === 1 ? `La sauvegarde de ${first} a échoué` : `La sauvegarde de ${several} a échoué`,
      what: `La sauvegarde de ${list(databases)} échoue depuis le ${ago(since, now)} et ne sera pas retentée avant sa prochaine exécution.${because(reason)}`,
      safe: stillSafe(safety),
      todo: "Corrigez la cause indiquée, puis lancez une sauvegarde\u00A0: `npm run backup:run -- --database NAME`, ou le bouton du tableau de bord. L’alerte prend fin d’elle-même à la prochaine sauvegarde réussie.",
      facts: [
        ["Bases", list(databases)],
        ["Code", code],
      ],
    };
  },
  sizeUnusual({ sizes, safety, since, now }) {
    const databases = sizes.map(({ database }) => database);
    const [first] = sizes;
    return {
      title:
        first !== undefined && sizes.length === 1
          ? `La sauvegarde de ${first.database} ${howUnusual(first)} que d’habitude`
          : `Les sauvegardes de ${count(sizes.length, "base")} ont une taille inhabituelle`,
      what: `${sizes.slice(0, MOST_NAMED).map(oddities).join("\u00A0; ")}, depuis le ${ago(since, now)}.`,
      safe: stillSafe(safety),
      todo: "Vérifiez si des tables ont été vidées, ou si beaucoup de données ont été chargées. Les sauvegardes plus anciennes restent selon les règles de rétention\u00A0; si des données risquent d’être perdues, conservez-en une avec `npm run backup:keep:add -- ID --reason WHY`. Si la taille est normale, acceptez-la\u00A0: `npm run backup:keep:accept-size -- --from ID`.",
      facts: [["Bases", list(databases)]],
    };
  },
  /** The reason is always the same, and whoever found it writes it in English. */
  retentionHeld({ databases, tier, rulesChanged, since, now }) {
    const look =
      "Examinez le plan\u00A0: la page du niveau dans le tableau de bord, ou sa commande de nettoyage avec --dry-run.";
    return {
      title: `Le nettoyage de ${list(databases, 3)} sur ${tier} est suspendu`,
      what: rulesChanged
        ? `Les règles de rétention ont changé, et ce que conservaient les règles précédentes n’est pas encore supprimé, depuis le ${ago(since, now)}.`
        : `Rien n’y est supprimé depuis le ${ago(since, now)}\u00A0: trop de sauvegardes partiraient d’un coup.`,
      safe: "Toutes les copies qui s’y trouvent restent.",
      todo: rulesChanged
        ? `${look} S’il est correct, appliquez-le à la main, ou laissez faire\u00A0: passé le délai de grâce, la suppression se fait d’elle-même. Sinon, rétablissez les règles.`
        : `${look} S’il est correct, appliquez-le à la main, ou acceptez la nouvelle taille avec \`npm run backup:keep:accept-size -- --from ID\`.`,
      facts: [
        ["Bases", list(databases)],
        ["Niveau", tier],
        ["Suspendu depuis", age((now.getTime() - since.getTime()) / 1000)],
      ],
    };
  },
};

function howUnusual({ bytes, rows }: Sizes): string {
  if (bytes) return `est ${times(bytes)} fois plus ${bytes.newest < bytes.usual ? "petite" : "grosse"}`;
  return rows ? `contient ${times(rows)} fois ${rows.newest < rows.usual ? "moins" : "plus"} de lignes` : "est autre";
}

function oddities({ database, bytes, rows }: Sizes): string {
  const parts = [
    ...(bytes ? [`${bytesOf(bytes.newest)} au lieu de ${bytesOf(bytes.usual)} environ`] : []),
    ...(rows ? [`${count(rows.newest, "ligne")} au lieu de ${count(Math.round(rows.usual), "ligne")} environ`] : []),
  ];
  return `${database}\u00A0: ${parts.join(", ")}`;
}

function times(change: Change): string {
  const factor = timesOf(change);
  return factor >= 100 ? "plus de 100" : decimal(factor);
}
