import type { Expiring } from "../facts.ts";
import type { SiteTexts } from "../texts.ts";
import { age, ago, because, count, list, quoted, utc } from "./parts.ts";

export const site: SiteTexts = {
  expiring({ now, ...thing }) {
    const { at } = thing;
    const left = (at.getTime() - now.getTime()) / 1000;
    const name = nameOf(thing);
    return {
      title: left > 0 ? `${name} expire dans ${age(left)}` : `${name} a expiré`,
      what: left > 0 ? `${name} expire le ${utc(at)}.` : `${name} a expiré le ${ago(at, now)}.`,
      safe: "Les sauvegardes existantes ne sont pas touchées.",
      todo: remedyOf(thing),
      facts: [["Expiration", utc(at)]],
    };
  },
  auditBroken({ place, problems, since, now }) {
    const more = problems > 1 ? `, et ${count(problems - 1, "autre problème", "autres problèmes")}` : "";
    const where = place && `${place.file}${place.line > 0 ? `, ligne ${place.line}` : ""}\u00A0: ${quoted(place.what)}`;
    return {
      title: "Le journal a été modifié",
      what: `La chaîne du journal est rompue\u00A0: une ligne a été changée, retirée ou coupée. Constaté le ${ago(since, now)}.${where === null ? "" : ` ${where}${more}.`}`,
      safe: "Les sauvegardes ne dépendent pas du journal\u00A0: leurs manifestes sont signés et contrôlés à part.",
      todo: "Voyez tous les endroits avec `npm run backup:audit:verify`. Cherchez qui a pu écrire dans BACKUP_DIR/.trivault/audit, et comparez avec une copie du journal conservée ailleurs.",
      facts: [],
    };
  },
  configRefused({ reason, processes, since, now }) {
    return {
      title: "Le fichier de configuration est erroné et n’est pas en vigueur",
      what: `La nouvelle configuration est refusée depuis le ${ago(since, now)}\u00A0; la précédente reste en vigueur.${because(reason)}`,
      safe: "Les sauvegardes continuent avec l’ancienne configuration.",
      todo: "Corrigez le fichier\u00A0; `npm run backup:config:check` montre ce qui ne va pas. Il est pris en compte en quelques secondes. D’ici là, un redémarrage échouerait.",
      facts: [["Processus", list(processes)]],
    };
  },
  ruleFailed({ rules, reason, since, now }) {
    const one = rules.length === 1;
    return {
      title: `${count(rules.length, "règle d’alerte ne peut", "règles d’alerte ne peuvent")} pas être évaluée${one ? "" : "s"}`,
      what: `${list(rules)}\u00A0: échec depuis le ${ago(since, now)}, donc plus aucune alerte sur ce que ${one ? "cette règle surveille" : "ces règles surveillent"}.${because(reason)}`,
      safe: "Les sauvegardes ne sont pas touchées et toutes les autres alertes sont évaluées. Ce que ces règles avaient trouvé avant reste en l’état.",
      todo: "C’est un défaut de Trivault. Signalez-le avec l’erreur qui figure dans les logs de l’API, et surveillez vous-même le tableau de bord en attendant.",
      facts: [["Règles", list(rules)]],
    };
  },
  channelFailed({ channel, reason, since, now }) {
    return {
      title: `Les alertes n’arrivent pas sur le canal ${channel}`,
      what: `Les messages vers ${channel} ne sont pas remis depuis le ${ago(since, now)}.${because(reason)}`,
      safe: "Les autres canaux ne sont pas touchés. Ce qui n’a pas été remis est retenté pendant une journée.",
      todo: `Corrigez le canal dans le fichier de configuration, puis testez-le\u00A0: \`npm run backup:alerts:test -- --channel ${channel}\`.`,
      facts: [["Canal", channel]],
    };
  },
};

function nameOf({ kind, name }: Expiring): string {
  return kind === "token" ? `Le jeton d’API ${quoted(name)}` : `Le certificat de ${name}`;
}

function remedyOf({ kind, name }: Expiring): string {
  return kind === "token"
    ? `Créez-en un nouveau (\`npm run backup:token:create\`), donnez-le à ce qui utilise ${quoted(name)}, puis révoquez l’ancien.`
    : `Renouvelez le certificat de ${name.replace(/:\d+$/, "")}, et cherchez pourquoi il ne l’est pas automatiquement.`;
}
