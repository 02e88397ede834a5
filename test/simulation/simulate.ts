import { setTimeout as sleep } from "node:timers/promises";
import { type AuditLog, auditFolder, openAuditLog } from "@trivault/audit";
import { DAY_MS, HOUR_MS } from "@trivault/core";
import { setClock } from "../support/simulated-clock.ts";
import { type AccidentName, type AccidentOptions, type Accidents, createAccidents } from "./accidents.ts";
import { type Order, untilInOrder } from "./order.ts";
import { isOf, type Slot } from "./slot.ts";
import { createWorld, type Rules, type World } from "./world.ts";

/** Slots end a moment early, so that whatever begins late begins in its own. */
const LAST_MOMENT_MS = 5000;
/** A slot that is not served by then never will be. */
const SLOT_DEADLINE_SECONDS = 240;

export interface SimulationOptions {
  readonly databases: number;
  readonly rules: Rules;
  readonly slots: number;
  /** When the first slot is, in hours from a midnight of UTC. */
  readonly startsAtHour: number;
  readonly workers: number;
  /** The same seed makes the same accidents in the same order. */
  readonly seed: number;
  /** Simulated seconds in a real one. */
  readonly rate: number;
  readonly accidents: AccidentOptions;
  readonly say: (line: string) => void;
}

export interface SimulationResult extends Order {
  readonly slots: number;
  readonly runs: number;
  /** How often each happened. */
  readonly accidents: Readonly<Record<AccidentName, number>>;
  readonly realSeconds: number;
}

/** Slot after slot of a site's life, with workers killed and Redis restarted at random; what must hold is looked at last. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const begun = performance.now();
  await using world = await createWorld(options.databases, options.rules);
  const log = openAuditLog(auditFolder(world.config.backupDir));
  const accidents = createAccidents(world, options);
  try {
    const slots = slotsOf(options);
    for (const [index, slot] of slots.entries()) {
      setClock(world.clockFile, slot.from, new Date(slot.to.getTime() - LAST_MOMENT_MS), options.rate);
      if (index === 0) accidents.begin();
      const [took] = await Promise.all([slotServed(log, world, slot, accidents), accidents.ofSlot()]);
      options.say(`slot ${index + 1} of ${options.slots}: ${world.databases.length} backups, ${took.toFixed(0)} s`);
    }
    return {
      slots: slots.length,
      runs: slots.length * world.databases.length,
      accidents: accidents.count(),
      realSeconds: (performance.now() - begun) / 1000,
      ...(await untilInOrder(world, log, slots)),
    };
  } finally {
    await log.close();
  }
}

/** In the past, so that no file is older than it should be: what tiers date is dated by the real clock. */
function slotsOf({ slots, rules, startsAtHour }: SimulationOptions): Slot[] {
  const periodMs = rules.everyHours * HOUR_MS;
  const midnight = Math.floor((Date.now() - slots * periodMs - startsAtHour * HOUR_MS) / DAY_MS) * DAY_MS;
  const timeOf = (index: number) => new Date(midnight + startsAtHour * HOUR_MS + index * periodMs);
  return Array.from({ length: slots }, (_, index) => ({ from: timeOf(index), to: timeOf(index + 1) }));
}

/** Waits until each database has a sealed backup of this slot; returns after how many seconds. */
async function slotServed(log: AuditLog, world: World, slot: Slot, accidents: Accidents): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const served = new Set<string>();
    for await (const { database, backupId } of log.query({
      from: slot.from,
      action: "backup.encrypt",
      outcome: "ok",
    })) {
      // One of the slot before may be recorded again: its worker died after it was sealed.
      if (database !== undefined && backupId !== undefined && isOf(slot, backupId)) served.add(database);
    }
    const seconds = (performance.now() - begun) / 1000;
    if (served.size === world.databases.length) return seconds;
    if (seconds > SLOT_DEADLINE_SECONDS) {
      const missing = world.databases.filter((name) => !served.has(name));
      throw new Error(
        `the slot ${slot.from.toISOString()} was not served in ${SLOT_DEADLINE_SECONDS} s: ${missing.slice(0, 5).join(", ")} … ${accidents.logs()}`,
      );
    }
    await sleep(200);
  }
}
