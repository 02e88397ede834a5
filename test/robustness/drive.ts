import { setTimeout as sleep } from "node:timers/promises";
import { type Random, randomNumbers, weighted } from "../support/random.ts";
import { ACCIDENTS } from "./accidents.ts";
import { BACKUP_ACTIONS } from "./backup-actions.ts";
import { checkRecord } from "./check-record.ts";
import { checkTiers, type Claim } from "./check-tiers.ts";
import type { Accident, Action, Context } from "./context.ts";
import { convergence } from "./convergence.ts";
import { changeContent } from "./content.ts";
import { HARM_ACTIONS } from "./harm-actions.ts";
import { createModel, FIRST_RULE, type Model, remember } from "./model.ts";
import { READER_ACTIONS } from "./reader-actions.ts";
import { RULE_ACTIONS } from "./rule-actions.ts";
import { type Staff, startStaff } from "./staff.ts";
import { createWorld, DATABASES, type World } from "./world.ts";

const ACTIONS = [...BACKUP_ACTIONS, ...RULE_ACTIONS, ...HARM_ACTIONS, ...READER_ACTIONS];
const WORKERS = 2;
/** The chance of an accident where something is at work that it can hit, and where not. */
const CHANCE_AT_WORK = 0.7;
const CHANCE_ELSE = 0.35;
/** A command takes a second or two to begin, on a busy machine. */
const LONGEST_DELAY_MS = 5000;
/** What is down stays down for so many steps at most. */
const MOST_STEPS_DOWN = 3;
const LAST_LINES = 25;

export interface DriveOptions {
  /** The same seed makes the same decisions; what comes of them, and when, is up to the machine. */
  readonly seed: number;
  /** The first of the two that is reached ends the steps. */
  readonly minutes: number;
  readonly steps?: number;
  /** Goes on after a problem, to find more. */
  readonly goOn?: boolean;
  /** Ends the steps early. */
  readonly signal?: AbortSignal;
  readonly say: (line: string) => void;
}

export interface DriveResult {
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  /** How often each was done. */
  readonly actions: Readonly<Record<string, number>>;
  readonly accidents: Readonly<Record<string, number>>;
  /** Copies that were found whole at some time. */
  readonly copies: number;
  readonly problems: readonly string[];
}

interface Outage {
  readonly name: string;
  readonly until: number;
  readonly harmless: boolean;
  readonly end: () => Promise<unknown>;
}

/**
 * Does random things to a site, as its users, its disks and its servers do, and looks after each step whether what was
 * promised still holds; at the end everything is mended, and the site must come to order by itself.
 */
export async function drive(options: DriveOptions): Promise<DriveResult> {
  const { seed, minutes, steps: mostSteps = Number.POSITIVE_INFINITY, goOn = false } = options;
  await using world = await createWorld(FIRST_RULE);
  await using staff = startStaff(world, WORKERS);
  const model = createModel();
  const begun = performance.now();
  const lines: string[] = [];
  const say = (line: string) => {
    lines.push(line);
    options.say(line);
  };
  const problems: string[] = [];
  const report = (step: number, found: readonly string[]) => {
    for (const problem of found) {
      problems.push(`step ${step}: ${problem}`);
      options.say(`PROBLEM, seed ${seed}, step ${step}: ${problem}`);
    }
    return found.length === 0 || goOn;
  };
  const counts = { actions: new Map<string, number>(), accidents: new Map<string, number>() };
  for (const name of DATABASES) remember(model, name, await changeContent(world.postgres, name, randomNumbers(seed)));
  await Promise.all([...staff.workers, staff.api].map((each) => each.ready()));

  let step = 0;
  let outages: Outage[] = [];
  const endOutages = async (isDue: (outage: Outage) => boolean) => {
    for (const outage of outages.filter(isDue)) {
      await outage.end();
      say(`${step}  ${outage.name}: over`);
    }
    outages = outages.filter((outage) => !isDue(outage));
  };
  try {
    // What comes first finds something there, and the first rule is one that somebody has ordered.
    await Promise.all(DATABASES.map((name) => staff.cli(["run", "--database", name, "--wait"])));
    for (const tier of ["rotate", "sync cleanup", "cloud cleanup"]) await staff.cli([...tier.split(" "), "--yes"]);
    while (step < mostSteps && performance.now() - begun < minutes * 60_000 && options.signal?.aborted !== true) {
      step++;
      const random = randomNumbers(seed * 100_003 + step);
      await endOutages(({ until }) => until <= step);
      const chosen = choose(random, outages);
      const context: Context = {
        world,
        staff,
        model,
        random,
        calm: outages.every(({ harmless }) => harmless) && chosen.accident === null,
        problems: [],
        claims: [],
      };
      const took = performance.now();
      const [did, happened] = await Promise.all([
        chosen.action.run(context),
        chosen.accident && afterwards(chosen.delayMs, () => chosen.accident?.run(context)),
      ]);
      count(counts.actions, chosen.action.name);
      if (chosen.accident) count(counts.accidents, chosen.accident.name);
      if (chosen.accident && happened?.end)
        outages.push({
          name: chosen.accident.name,
          until: step + chosen.lasts,
          harmless: happened.harmless ?? false,
          end: happened.end,
        });
      const beside = chosen.accident ? `; after ${chosen.delayMs} ms: ${chosen.accident.name} ${happened?.text}` : "";
      say(`${step}  ${chosen.action.name} ${did} in ${seconds(took)} s${beside}`);
      const found = await invariants({ world, staff, model, random, claims: context.claims });
      if (!report(step, [...context.problems, ...found])) break;
    }
    await endOutages(() => true);
    if (problems.length === 0 || goOn) {
      say(`${step}  all faults are over; what is left must come to order by itself`);
      report(step, await convergence({ world, staff, model, random: randomNumbers(seed), say }));
    }
  } catch (error) {
    report(step, [`the driver stumbled: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]);
  }
  if (problems.length > 0)
    options.say(`${staff.logs()}\n${lines.slice(-LAST_LINES).join("\n")}\n${replay(seed, step)}`);
  return {
    seed,
    steps: step,
    seconds: (performance.now() - begun) / 1000,
    actions: Object.fromEntries(counts.actions),
    accidents: Object.fromEntries(counts.accidents),
    copies: [...model.everGood.values()].reduce((sum, { size }) => sum + size, 0),
    problems,
  };
}

interface Chosen {
  readonly action: Action;
  readonly accident: Accident | null;
  readonly delayMs: number;
  readonly lasts: number;
}

/** All that is random of a step, but for what action and accident choose themselves. */
function choose(random: Random, outages: readonly Outage[]): Chosen {
  const action = weighted(random, ACTIONS);
  const happens = random() < (BACKUP_ACTIONS.includes(action) ? CHANCE_AT_WORK : CHANCE_ELSE);
  const accident = weighted(random, ACCIDENTS);
  const delayMs = Math.floor(random() * LONGEST_DELAY_MS);
  const lasts = 1 + Math.floor(random() * MOST_STEPS_DOWN);
  const isDown = outages.some(({ name }) => name === accident.name);
  return { action, accident: happens && !isDown ? accident : null, delayMs, lasts };
}

async function invariants(parts: {
  readonly world: World;
  readonly staff: Staff;
  readonly model: Model;
  readonly random: Random;
  readonly claims: readonly Claim[];
}): Promise<string[]> {
  const { world, staff, model, random, claims } = parts;
  const record = await checkRecord(world, model);
  const tiers = await checkTiers(world, model, { random, claims: [...claims, ...record.claims] });
  return [...tiers, ...record.problems, ...staff.problems()];
}

async function afterwards<T>(ms: number, act: () => T): Promise<Awaited<T>> {
  await sleep(ms);
  return await act();
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function replay(seed: number, step: number): string {
  return `to see it again: npm run robustness -- --seed ${seed} --steps ${step}`;
}
