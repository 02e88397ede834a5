import type { Texts } from "./texts.ts";

const s = (count: number) => (count < 2 ? "" : "s");

export const FRENCH: Texts = {
  colon: "\u00A0: ",
  semicolon: "\u00A0; ",
  more: (count) => `${count} autre${s(count)}`,
  title: (days, database) =>
    `${days === 1 ? "Rapport quotidien" : days === 7 ? "Rapport hebdomadaire" : "Rapport"}${database === null ? "" : ` sur ${database}`}`,
  subject: (well, title, day) => `${well ? "[ok]" : "[attention]"} Trivault\u00A0: ${title.toLowerCase()}, ${day}`,
  period: (from, to, zone) => `du ${from} au ${to} (${zone})`,
  summary: {
    noDatabase: "Aucune base n’est configurée ici\u00A0: rien n’est donc réputé sauvegardé.",
    safe: (safe, all, names) => {
      if (safe === all)
        return all === 1
          ? `${names} est à l’abri sur tous ses niveaux.`
          : `Les ${all} bases sont à l’abri sur tous leurs niveaux.`;
      if (all === 1) return `${names} n’est pas à l’abri.`;
      return `${safe} base${s(safe)} sur ${all} ${safe < 2 ? "est" : "sont"} à l’abri sur tous ${safe < 2 ? "ses" : "leurs"} niveaux\u00A0; pas ${names}.`;
    },
    runs: (ended, { ok, incomplete, failed, missed }) => {
      const bad = [
        failed > 0 ? `${failed} en échec` : "",
        incomplete > 0 ? `${incomplete} absente${s(incomplete)} d’un niveau` : "",
        missed > 0 ? `${missed} manquée${s(missed)}` : "",
      ].filter((part) => part !== "");
      if (ended === 0) return `Aucune sauvegarde n’a été faite${missed > 0 ? `\u00A0: ${bad.join(", ")}` : ""}.`;
      if (bad.length === 0)
        return ended === 1 ? "La seule sauvegarde a réussi." : `Les ${ended} sauvegardes ont réussi.`;
      return `${ok} sauvegarde${s(ok)} réussie${s(ok)} sur ${ended}\u00A0: ${bad.join(", ")}.`;
    },
    decisions: (count) =>
      count === 0
        ? "Rien n’attend de décision."
        : `${count} point${s(count)} ${count < 2 ? "attend" : "attendent"} une décision.`,
  },
  well: "Tout va bien",
  attention: "À surveiller",
  danger: "Pas à l’abri",
  severity: { critical: "critique", warning: "avertissement", info: "à savoir" },
  verdict: { met: "atteint", missed: "manqué", unknown: "pas encore connu" },
  headings: {
    decisions: "Attend une décision",
    failures: "Ce qui a échoué, et pourquoi",
    durations: "Exécutions et durées",
    copies: "Copies, croissance et coût",
    tiers: "Niveaux",
    checks: "Vérifications et essais de restauration",
    daily: "Sauvegardes par jour",
    volume: "Volume sauvegardé par jour",
    objectives: "Objectifs, sur 30 jours",
    figures: "En bref",
  },
  words: {
    database: "Base",
    databases: "Bases",
    safe: "à l’abri",
    safeNow: "À l’abri",
    notSafe: "PAS À L’ABRI",
    runs: "Réussies",
    success: "Réussite",
    successRate: "Taux de réussite",
    availability: "Disponibilité",
    backup: "Sauvegarde",
    sync: "Au dernier niveau",
    restore: "Restauration",
    recoveryPoint: "Point de reprise",
    copiesPerTier: "Copies",
    size: "Taille",
    growth: "Croissance",
    cost: "Coût",
    costPerMonth: "Coût par mois",
    tier: "Niveau",
    state: "État",
    backups: "Sauvegardes",
    held: "Contient",
    free: "Libre",
    perDay: "par jour",
    full: "Plein",
    reachable: "ok",
    unreachable: "INJOIGNABLE",
    none: "aucune",
    notKnown: "inconnu",
    never: "pas en vue",
    okRuns: "réussies",
    incompleteRuns: "pas sur tous les niveaux",
    failedRuns: "en échec",
    missedRuns: "manquées",
    over: "sur",
    since: "depuis",
    until: "jusqu’au",
    now: "maintenant",
    outcomeOk: "ok",
    outcomeFailed: "ÉCHEC",
    outcomeRefused: "refusée",
    total: "Toutes",
    whatToDo: "À faire",
    openDashboard: "Ouvrir le tableau de bord",
    thirtyDays: "30 jours",
    duration: "Durée",
  },
  stage: {
    dump: () => "extraction",
    encrypt: () => "chiffrement",
    copy: (tier) => `copie vers ${tier ?? "un niveau"}`,
  },
  advice: {
    DATABASE_UNREACHABLE:
      "Vérifiez que le serveur tourne et accepte cette machine\u00A0; npm run backup:config:check teste la connexion.",
    DATABASE_REFUSED:
      "Vérifiez le mot de passe et les droits du rôle sur le serveur\u00A0; npm run backup:config:check les teste.",
    TOOL_MISSING: "Installez sur chaque worker pg_dump de la version du serveur ou plus récent.",
    TOOL_TOO_OLD: "Installez sur chaque worker pg_dump de la version du serveur ou plus récent.",
    STORE_UNREACHABLE:
      "Vérifiez le réseau et le serveur\u00A0; ce qui manque est copié de lui-même dès que le niveau répond.",
    STORE_REFUSED:
      "Vérifiez les droits du compte sur le niveau\u00A0; npm run backup:sync:test ou backup:cloud:test montre l’étape refusée.",
    STORE_FULL:
      "Faites de la place, relevez le budget ou gardez moins de sauvegardes\u00A0; ce qui manque est ensuite copié de lui-même.",
    STORE_FAILED: "Examinez le disque ou le service qui porte ce niveau.",
    HOST_KEY:
      "Cherchez pourquoi le serveur présente une autre clé avant de lui faire confiance\u00A0: c’est peut-être une autre machine.",
    KEY_FILE: "Remettez le fichier de clé en place, ou corrigez le réglage qui le désigne.",
    CORRUPT:
      "Examinez le disque de ce niveau\u00A0; npm run backup:verify dit quelles copies sont abîmées, la maintenance les refait.",
    UNTRUSTED: "Cherchez qui a écrit cette copie\u00A0; seules comptent les copies signées par une clé connue.",
    CONFIG_INVALID:
      "Corrigez le réglage que nomme le message\u00A0; npm run backup:config:check montre tout ce qui ne va pas.",
    ABANDONED:
      "Rien, si cela reste rare\u00A0: un worker s’est arrêté, un autre a repris. Lisez son journal si cela revient.",
    QUEUE_UNREACHABLE: "Vérifiez que Redis tourne.",
    "": "Lisez le message ci-dessus\u00A0; npm run backup:audit:logs -- --outcome failed montre chaque échec.",
  },
  notes: {
    target: (target) => `cible ${target}`,
    durations: (backup, sync, restore) =>
      `Médiane, 95ᵉ centile et pire. Cibles\u00A0: sauvegarde en moins de ${backup}, au dernier niveau en moins de ${sync}, restauration en moins de ${restore}\u00A0; un dépassement est marqué !.`,
    spread: "médiane / p95 / pire",
    beyond: (count) => `${count} au-delà`,
    objective: (objective) => `objectif ${objective}`,
    knownTime: (known) => `le registre couvre ${known} sur 30 jours`,
    awayTime: (away) => `dont ${away} parce qu’un niveau était injoignable`,
    badTime: (bad) => `indisponible pendant ${bad}`,
    failedRuns: (runs, databases) => `${runs} exécution${s(runs)} de ${databases}`,
    when: (first, last, runs) => (runs === 1 ? `le ${first}` : `du ${first} au ${last}`),
    recovered: "Toutes ont réussi depuis.",
    notRecovered: "Toutes n’ont pas réussi depuis.",
    noDecision: "Rien. Tout est comme demandé.",
    noFailure: "Rien n’a échoué.",
    verified: (good, bad, databases) =>
      `${good + bad} copie${s(good + bad)} de ${databases} base${s(databases)} relue${s(good + bad)} octet par octet\u00A0: ${bad === 0 ? "tout est bon" : `${good} bonne${s(good)}, ${bad} MAUVAISE${bad < 2 ? "" : "S"}`}.`,
    notVerified: "Aucune copie n’a été relue.",
    restored: (good, bad) =>
      `${good + bad} restauration${s(good + bad)}\u00A0: ${bad === 0 ? "tout est bon" : `${good} bonne${s(good)}, ${bad} non`}.`,
    notRestored: "Aucune sauvegarde n’a été restaurée.",
    asTheyShouldBe: (count) =>
      count < 2
        ? "1 autre base est à l’abri, rien n’y a échoué ni trop duré."
        : `${count} autres bases sont à l’abri, rien n’y a échoué ni trop duré.`,
    daysText: (format, days) => {
      const bad = days.filter(({ failed, incomplete, missed }) => failed + incomplete + missed > 0);
      const sum = days.reduce((all, { ok, incomplete, failed }) => all + ok + incomplete + failed, 0);
      if (sum === 0 && bad.length === 0) return `${days.length} jours sans sauvegarde.`;
      const shown = bad.slice(-6).map(({ day, failed, incomplete, missed }) => {
        const what = [
          failed > 0 ? `${failed} en échec` : "",
          incomplete > 0 ? `${incomplete} pas sur tous les niveaux` : "",
          missed > 0 ? `${missed} manquée${s(missed)}` : "",
        ];
        return `${format.shortDay(day)} ${what.filter((part) => part !== "").join(", ")}`;
      });
      const rest =
        bad.length > shown.length ? `\u00A0; ${bad.length - shown.length} jours plus anciens avec des problèmes` : "";
      return `${format.count(sum)} sauvegarde${s(sum)} en ${days.length} jours\u00A0; ${bad.length === 0 ? "aucun échec" : `${shown.join("\u00A0; ")}${rest}`}.`;
    },
    volumeText: (format, days) => {
      const full = days.filter(({ whole, ok, incomplete }) => whole && ok + incomplete > 0);
      const [first, last] = [full[0], full.at(-1)];
      if (!first || !last) return "Rien n’a été sauvegardé.";
      const most = full.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      return `${format.shortDay(first.day)} ${format.bytes(first.bytes)}, ${format.shortDay(last.day)} ${format.bytes(last.bytes)}\u00A0; le plus le ${format.shortDay(most.day)}, ${format.bytes(most.bytes)}.`;
    },
    footer: (made) => `Fait le ${made} par Trivault, d’après son registre d’événements.`,
    recordEnd: (seq, hash) => `Son dernier événement était alors le ${seq}, empreinte ${hash}.`,
    method:
      "La disponibilité est la part du temps où chaque niveau était joignable et portait une bonne copie dans l’objectif, d’après les événements enregistrés\u00A0; le temps d’avant le registre n’est pas connu et ne compte dans aucun sens.",
    moreNotable: (count) => `${count} autre${s(count)} base${s(count)} à surveiller.`,
    attached: "Le rapport entier, avec toutes les bases, est joint.",
    damaged: (count) => `${count} abîmée${s(count)}`,
    untrusted: (count) => `${count} non reconnue${s(count)}`,
    unknown: (count) => `${count} illisible${s(count)}`,
    overBudget: "budget dépassé",
    wasAway: (time) => `injoignable ${time}`,
  },
  decision: {
    unsafe: (database, where) => `${database} n’est pas à l’abri\u00A0: ${where}.`,
    noCopy: (tiers) => `aucune copie sur ${tiers}`,
    oldCopy: (tiers, age, objective) =>
      `la plus récente copie sur ${tiers} date d’il y a ${age}, pour ${objective} au plus`,
    noBackup: "elle n’a aucune sauvegarde",
    manyUnsafe: (count, names) => `${count} autres bases ne sont pas à l’abri\u00A0: ${names}.`,
    tierUnreachable: (tier, since, reason) =>
      `Le niveau ${tier} est injoignable${since === null ? "" : ` depuis le ${since}`}\u00A0: ${reason}`,
    alertOpen: (title, since) => `L’alerte «\u00A0${title}\u00A0» dure depuis le ${since}.`,
    retentionHeld: (database, tier, _message, rulesChanged) =>
      rulesChanged
        ? `Les règles de rétention de ${database} sur ${tier} ont changé\u00A0: ce que conservaient les règles précédentes y reste pendant le délai de grâce, sauf si vous en décidez autrement.`
        : `La rétention de ${database} sur ${tier} est suspendue, car trop de sauvegardes partiraient d’un coup\u00A0: rien n’y est supprimé sans votre accord.`,
    damaged: (count, tier) =>
      `${count} copie${s(count)} abîmée${s(count)} sur ${tier}\u00A0; la maintenance ${count < 2 ? "la" : "les"} refait si un autre niveau en a une bonne.`,
    untrusted: (count, tier) =>
      `${count} copie${s(count)} sur ${tier} ne ${count < 2 ? "porte" : "portent"} la signature d’aucune clé connue ici\u00A0: quelqu’un d’autre ${count < 2 ? "l’a écrite ou changée" : "les a écrites ou changées"}, ou une clé manque.`,
    unknown: (count, tier, reason) =>
      `${count} copie${s(count)} sur ${tier} n’${count < 2 ? "a" : "ont"} pas pu être lue${s(count)}\u00A0: on n’en sait rien${reason === "" ? "." : ` («\u00A0${reason}\u00A0»).`}`,
    overBudget: (tier, bytes) => `Le niveau ${tier} dépasse son budget\u00A0: il contient ${bytes}.`,
    fullSoon: (tier, when, free) =>
      when === null
        ? `Il ne reste que ${free} sur le niveau ${tier}.`
        : `Le niveau ${tier} sera plein le ${when} à ce rythme\u00A0; il reste ${free}.`,
    missedSlots: (database, slots, when) =>
      `${slots} sauvegarde${s(slots)} prévue${s(slots)} de ${database} n’${slots < 2 ? "a" : "ont"} jamais été faite${s(slots)} (constaté le ${when})\u00A0: personne n’était là pour ${slots < 2 ? "la" : "les"} faire.`,
    noSchedule: (count, names) =>
      `${names} n’${count < 2 ? "est sauvegardée" : "sont sauvegardées"} que sur demande\u00A0: aucun horaire.`,
    markUnreadable: (problem) => problem,
    markOld: (database, backupId, age, reason) =>
      `La sauvegarde ${backupId} de ${database} est gardée à la main depuis ${age} («\u00A0${reason}\u00A0»). Est-ce encore voulu\u00A0?`,
    notVerified: (days) => `Aucune copie n’a été relue en ${days} jours.`,
    notRestored: (days) =>
      `Aucune restauration n’a été essayée en ${days} jours\u00A0: seul un essai prouve qu’une sauvegarde se restaure.`,
  },
};
