import type { WorkerTexts } from "../texts.ts";
import { age, ago, count, list } from "./parts.ts";

const SAFE = "All backups and copies that exist are untouched.";

export const workers: WorkerTexts = {
  noWorker({ queues, all, waiting, since, now }) {
    return {
      title: all ? "No worker is running" : `No worker serves ${list(queues)}`,
      what: `${all ? "No process takes any job" : `No process takes jobs of ${list(queues)}`}, since ${ago(since, now)}. ${count(waiting, "job")} ${waiting === 1 ? "waits" : "wait"}.`,
      safe: SAFE,
      todo: "Start a worker (`npm run worker`, or the worker container) and look at its log for why the last one ended. What was missed is made up for by itself.",
      facts: [
        ["Queues", list(queues)],
        ["Waiting", String(waiting)],
      ],
    };
  },
  queueUnreachable({ reason, since, now }) {
    return {
      title: "The queue (Redis) cannot be reached",
      what: `Redis does not answer, since ${ago(since, now)}, so no new backup can begin. ${reason}`,
      safe: `${SAFE} What was running goes on.`,
      todo: "Start Redis, or correct REDIS_URL. Nothing is lost with it: what was due is found in the audit log and made up for.",
      facts: [],
    };
  },
  schedulerSilent({ since, now }) {
    return {
      title: "Nobody looks at the schedules",
      what: `No worker has looked at which backups are due since ${ago(since, now)}, so none begins by itself.`,
      safe: SAFE,
      todo: "Restart the workers, and look at their logs for what keeps them busy. Runs that were missed are made up for.",
      facts: [],
    };
  },
  clockDrift({ host, drift, ahead, since, now }) {
    const difference = `${age(drift)} ${ahead ? "ahead" : "behind"}`;
    return {
      title: `The clock of ${host} is ${difference}`,
      what: `The clock of ${host} differs by ${age(drift)} from that of the queue or of the file system, since ${ago(since, now)}.`,
      safe: `${SAFE} Their names bear the time of the clock that made them.`,
      todo: `Turn on time synchronisation on ${host} (chrony or systemd-timesyncd), and see \`timedatectl\`.`,
      facts: [
        ["Host", host],
        ["Difference", difference],
      ],
    };
  },
};
