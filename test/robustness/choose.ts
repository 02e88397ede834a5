import { type Random, weighted } from "../support/random.ts";
import { ACCIDENTS } from "./accidents.ts";
import { BACKUP_ACTIONS } from "./backup-actions.ts";
import type { Accident, Action } from "./context.ts";
import { HARM_ACTIONS } from "./harm-actions.ts";
import { READER_ACTIONS } from "./reader-actions.ts";
import { RULE_ACTIONS } from "./rule-actions.ts";

export const ACTIONS = [...BACKUP_ACTIONS, ...RULE_ACTIONS, ...HARM_ACTIONS, ...READER_ACTIONS];
/** The chance of an accident where something is at work that it can hit, and where not. */
const CHANCE_AT_WORK = 0.7;
const CHANCE_ELSE = 0.35;
/** A command takes a second or two to begin, on a busy machine. */
const LONGEST_DELAY_MS = 5000;
/** What is down stays down for so many steps at most. */
const MOST_STEPS_DOWN = 3;

/** What is done in a step, all at once, and what happens beside it. */
export interface Chosen {
  readonly actions: readonly Action[];
  readonly accidents: readonly { readonly accident: Accident; readonly delayMs: number; readonly lasts: number }[];
}

/** Null where there is nothing more to do. */
export type Chooser = (step: number, random: Random, isDown: (name: string) => boolean) => Chosen | null;

/** Anything, as often as weights say, without end. */
export const anything: Chooser = (_, random, isDown) => {
  const action = weighted(random, ACTIONS);
  const happens = random() < (BACKUP_ACTIONS.includes(action) ? CHANCE_AT_WORK : CHANCE_ELSE);
  const accident = weighted(random, ACCIDENTS);
  const delayMs = Math.floor(random() * LONGEST_DELAY_MS);
  const lasts = 1 + Math.floor(random() * MOST_STEPS_DOWN);
  return {
    actions: [action],
    accidents: happens && !isDown(accident.name) ? [{ accident, delayMs, lasts }] : [],
  };
};
