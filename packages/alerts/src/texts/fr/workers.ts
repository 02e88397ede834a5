import type { WorkerTexts } from "../texts.ts";
import { age, ago, agree, because, count, list } from "./parts.ts";

const SAFE = "Toutes les sauvegardes et copies existantes sont intactes.";

export const workers: WorkerTexts = {
  noWorker({ queues, all, waiting, since, now }) {
    const files = `${agree(queues.length, "la file", "les files")} ${list(queues)}`;
    return {
      title: all ? "Aucun worker ne tourne" : `Aucun worker ne sert ${files}`,
      what: `Aucun processus ne prend de tâche${all ? "" : ` dans ${files}`} depuis le ${ago(since, now)}. ${count(waiting, "tâche attend", "tâches attendent")}.`,
      safe: SAFE,
      todo: "Démarrez un worker (`npm run worker`, ou le conteneur worker) et cherchez dans son journal pourquoi le précédent s’est arrêté. Ce qui a été manqué est rattrapé automatiquement.",
      facts: [
        ["Files", list(queues)],
        ["En attente", String(waiting)],
      ],
    };
  },
  queueUnreachable({ reason, since, now }) {
    return {
      title: "La file (Redis) est injoignable",
      what: `Redis ne répond pas depuis le ${ago(since, now)}\u00A0: aucune nouvelle sauvegarde ne peut commencer.${because(reason)}`,
      safe: `${SAFE} Ce qui était en cours continue.`,
      todo: "Démarrez Redis, ou corrigez REDIS_URL. Rien n’est perdu avec lui\u00A0: ce qui était prévu se retrouve dans le journal et est rattrapé.",
      facts: [],
    };
  },
  schedulerSilent({ since, now }) {
    return {
      title: "Personne ne suit la planification",
      what: `Depuis le ${ago(since, now)}, aucun worker n’a examiné quelles sauvegardes sont à faire\u00A0: aucune ne commence d’elle-même.`,
      safe: SAFE,
      todo: "Redémarrez les workers, et cherchez dans leurs journaux ce qui les occupe. Les exécutions manquées sont rattrapées.",
      facts: [],
    };
  },
  clockDrift({ host, drift, ahead, since, now }) {
    return {
      title: `L’horloge de ${host} ${ahead ? "avance" : "retarde"} de ${age(drift)}`,
      what: `L’horloge de ${host} a ${age(drift)} d’écart avec celle de la file ou du système de fichiers, depuis le ${ago(since, now)}.`,
      safe: `${SAFE} Leur nom porte l’heure de l’horloge qui les a faites.`,
      todo: `Activez la synchronisation de l’heure sur ${host} (chrony ou systemd-timesyncd), et consultez \`timedatectl\`.`,
      facts: [
        ["Machine", host],
        ["Écart", `${age(drift)} ${ahead ? "d’avance" : "de retard"}`],
      ],
    };
  },
};
