import { setTimeout as sleep } from "node:timers/promises";
import { type Random, randomNumbers } from "../support/random.ts";
import type { SimulatedWorker, World } from "./world.ts";

export interface AccidentOptions {
  readonly perSlot: number;
  /** Real seconds from the beginning of a slot, or from the accident before, at most. */
  readonly withinSeconds: number;
}

const DECK = [
  "worker killed",
  "worker killed",
  "worker killed",
  "Redis killed",
  "worker killed",
  "Redis ended",
] as const;
export type AccidentName = (typeof DECK)[number];
/** A killed worker is away for so long at most. */
const AWAY_MS = 2000;

export interface Accidents {
  /** Starts the workers. */
  begin(): void;
  /** Has those of one slot happen; resolves when they are over, so that a slow machine has no more of them than a fast one. */
  ofSlot(): Promise<void>;
  count(): Record<AccidentName, number>;
  /** What the workers said last. */
  logs(): string;
}

/** Which accidents come, and in which order, is up to the seed: dealt from a deck, so that each comes to its turn. */
export function createAccidents(
  world: World,
  options: {
    readonly workers: number;
    readonly seed: number;
    readonly accidents: AccidentOptions;
    readonly say: (line: string) => void;
  },
): Accidents {
  const random = randomNumbers(options.seed);
  const deal = dealer(random);
  const count: Record<AccidentName, number> = { "worker killed": 0, "Redis killed": 0, "Redis ended": 0 };
  let workers: SimulatedWorker[] = [];
  const happen = async (name: AccidentName) => {
    options.say(name);
    count[name]++;
    if (name !== "worker killed") return world.redis.restart(name === "Redis killed" ? "SIGKILL" : "SIGTERM");
    const index = Math.floor(random() * workers.length);
    await workers[index]?.end("SIGKILL");
    await sleep(random() * AWAY_MS);
    workers[index] = world.startWorker();
  };
  return {
    begin() {
      workers = Array.from({ length: options.workers }, () => world.startWorker());
    },
    async ofSlot() {
      for (let left = options.accidents.perSlot; left > 0; left--) {
        await sleep(random() * options.accidents.withinSeconds * 1000);
        await happen(deal());
      }
    },
    count: () => count,
    logs: () => workers.map((worker) => worker.log().slice(-2000)).join("\n"),
  };
}

/** Deals the deck, shuffled, and again when it is empty. */
function dealer(random: Random): () => AccidentName {
  let left: AccidentName[] = [];
  return () => {
    if (left.length === 0) left = [...DECK];
    const [dealt = "worker killed"] = left.splice(Math.floor(random() * left.length), 1);
    return dealt;
  };
}
