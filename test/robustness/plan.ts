import type { Random } from "../support/random.ts";
import { ACCIDENTS } from "./accidents.ts";
import { ACTIONS, type Chooser } from "./choose.ts";

interface Step {
  readonly actions: readonly string[];
  readonly accidents: readonly string[];
}

/** A command is at work by then. */
const LONGEST_DELAY_MS = 2000;

/**
 * The small form: each action and each accident there is, in as few steps as show what they do to one another. Of a step, one
 * action may change something, and another only looks. Which database, which copy, which fault, and when, is up to the seed.
 */
const PLAN: readonly Step[] = [
  step("run --wait", "a worker stands still"),
  step(["run --inline", "read by API"], "a stranger writes to a tier", "Redis restarts"),
  step(["run", "read by CLI"], "kill -9 of a worker"),
  step("keep add"),
  step("sync sync --wait", "the SSH server is down", "kill -9 of the command"),
  step("flip a byte"),
  step(["verify", "audit verify"]),
  step(["restore", "rotate --dry-run"], "S3", "sessions of PostgreSQL are terminated"),
  step("retention rule", "kill -9 of the API"),
  step(["rotate --yes", "sync cleanup --dry-run"], "BACKUP_DIR is full"),
  step("delete by hand"),
  step(["cloud sync --inline", "sync sync --dry-run"], "SSH connections are cut"),
  step(["cloud cleanup --yes", "health"], "the clock jumps"),
  step("keep remove", "Redis is wiped"),
  step("run --wait", "the spool is full", "kill -9 of all workers"),
  step("restore"),
];

function step(actions: string | readonly string[], ...accidents: readonly string[]): Step {
  return { actions: typeof actions === "string" ? [actions] : actions, accidents };
}

export const everything: Chooser = (number, random) => {
  const planned = PLAN[number - 1];
  if (planned === undefined) return null;
  return {
    actions: planned.actions.map((name) => named(ACTIONS, name)),
    accidents: planned.accidents.map((name) => ({
      accident: named(ACCIDENTS, name),
      delayMs: delay(random),
      lasts: 1,
    })),
  };
};

function delay(random: Random): number {
  return Math.floor(random() * LONGEST_DELAY_MS);
}

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is nothing called ${name}`);
  return found;
}
