import type { Identity } from "@trivault/access";
import type { Recorder } from "@trivault/audit";
import type { FastifyRequest } from "fastify";
import type { App } from "./deps.ts";
import type { Problem } from "./problem.ts";

const PERIOD_MS = 60_000;
/** Addresses that are counted one by one; all further ones are counted together. */
const MOST_ADDRESSES = 20;
const OTHERS = "others";

interface Refused extends Problem {
  /** Whoever was known all the same: their role did not do, say. */
  readonly actor: string;
}

interface Refusals {
  /** Since the last event. */
  count: number;
  last: Refused;
  readonly timer: NodeJS.Timeout;
}

/**
 * Writes refused requests into the audit log: the first of an address at once, those of each minute after it as one event with
 * their number. However many come, from however many addresses, the audit log grows by a few lines a minute.
 */
export function recordRefusals(app: App, record: Recorder): (request: FastifyRequest, problem: Problem) => void {
  const refused = new Map<string, Refusals>();
  const write = (ip: string, count: number, { actor, code, detail }: Refused) =>
    record({
      action: "access.refused",
      outcome: "refused",
      actor,
      error: { code, message: detail },
      details: { ip, count },
    });
  const endPeriod = (ip: string, refusals: Refusals) => {
    if (refusals.count === 0) {
      clearInterval(refusals.timer);
      refused.delete(ip);
      return;
    }
    void write(ip, refusals.count, refusals.last);
    refusals.count = 0;
  };
  app.addHook("onClose", async () => {
    for (const { timer } of refused.values()) clearInterval(timer);
    const open = [...refused].filter(([, { count }]) => count > 0);
    refused.clear();
    await Promise.all(open.map(([ip, { count, last }]) => write(ip, count, last)));
  });
  return ({ ip, identity }: { ip: string; identity: Identity | null }, problem) => {
    const last = { ...problem, actor: identity?.actor ?? "token:none" };
    const address = refused.has(ip) || refused.size < MOST_ADDRESSES ? ip : OTHERS;
    const known = refused.get(address);
    if (known) {
      known.count += 1;
      known.last = last;
      return;
    }
    const refusals: Refusals = {
      count: 0,
      last,
      timer: setInterval(() => endPeriod(address, refusals), PERIOD_MS).unref(),
    };
    refused.set(address, refusals);
    void write(address, 1, last);
  };
}
