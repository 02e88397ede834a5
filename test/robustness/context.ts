import type { Random } from "../support/random.ts";
import type { Claim } from "./check-tiers.ts";
import type { Model } from "./model.ts";
import type { Staff } from "./staff.ts";
import type { World } from "./world.ts";

/** All that one step works with. */
export interface Context {
  readonly world: World;
  readonly staff: Staff;
  readonly model: Model;
  readonly random: Random;
  /** No accident happens in this step, and nothing is down: what is done has to succeed. */
  readonly calm: boolean;
  /** After which a command that may be held up is interrupted. */
  readonly patienceMs: number;
  /** What is wrong. */
  readonly problems: string[];
  /** What was called done. */
  readonly claims: Claim[];
}

/** Something that a user does; returns what the driver's log says of it. */
export interface Action {
  readonly name: string;
  readonly weight: number;
  run(context: Context): Promise<string>;
}

/** Something that happens to the site, beside an action. */
export interface Accident {
  readonly name: string;
  readonly weight: number;
  run(context: Context): Promise<Aftermath>;
}

export interface Aftermath {
  readonly text: string;
  /** Whatever is done meanwhile has to succeed all the same. */
  readonly harmless?: boolean;
  /** What lasts until it is ended, after some steps. */
  readonly end?: () => Promise<unknown>;
}
