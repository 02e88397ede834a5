import { setTimeout as sleep } from "node:timers/promises";
import { type Random, randomNumbers } from "../support/random.ts";
import { checkRecord } from "./check-record.ts";
import { checkTiers, type Claim } from "./check-tiers.ts";
import type { Chooser } from "./choose.ts";
import type { Context } from "./context.ts";
import { convergence } from "./convergence.ts";
import { changeContent } from "./content.ts";
import { createModel, FIRST_RULE, type Model, remember } from "./model.ts";
import { type CallCli, type Staff, startStaff } from "./staff.ts";
import { createWorld, DATABASES, type World } from "./world.ts";

const WORKERS = 2;
const LAST_LINES = 25;
/** Longer than any command takes where nothing is down. */
const PATIENCE_IN_CALM_MS = 150_000;

export interface DriveOptions {
  /** The same seed makes the same decisions; what comes of them, and when, is up to the machine. */
  readonly seed: number;
  /** What is done in each step; null ends the steps, and so does whichever of the two below is reached first. */
  readonly choose: Chooser;
  readonly minutes: number;
  readonly steps?: number;
  /** After which, at least, a command that something may hold up is interrupted, as by Ctrl-C. */
  readonly patienceMs: number;
  /** What stands for processes where nothing hits them. */
  readonly callCli?: CallCli;
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
  await using staff = startStaff(world, WORKERS, options.callCli ?? null);
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
    const first = performance.now();
    const backups = await Promise.all(DATABASES.map((name) => staff.cli(["run", "--database", name, "--wait"])));
    const failed = backups.filter(({ code }) => code !== 0).map(({ stderr }) => `a first backup failed: ${stderr}`);
    report(0, failed);
    // On a slow machine a command in trouble has more time, too.
    const patienceMs = Math.max(options.patienceMs, 1.5 * (performance.now() - first));
    const cleanups = [["rotate"], ["sync", "cleanup"], ["cloud", "cleanup"]];
    await Promise.all(cleanups.map((cleanup) => staff.cli([...cleanup, "--yes"])));
    while (step < mostSteps && performance.now() - begun < minutes * 60_000 && options.signal?.aborted !== true) {
      const random = randomNumbers(seed * 100_003 + step + 1);
      await endOutages(({ until }) => until <= step + 1);
      const chosen = options.choose(step + 1, random, (name) => outages.some((outage) => outage.name === name));
      if (chosen === null) break;
      step++;
      const isCalm = outages.every(({ harmless }) => harmless) && chosen.accidents.length === 0;
      staff.expectAccidents(!isCalm);
      const context: Context = {
        world,
        staff,
        model,
        random,
        calm: isCalm,
        patienceMs: isCalm ? PATIENCE_IN_CALM_MS : patienceMs,
        problems: [],
        claims: [],
      };
      const took = performance.now();
      const done = chosen.actions.map(async (action) => {
        count(counts.actions, action.name);
        return `${action.name} ${await action.run(context)}`;
      });
      const happened = chosen.accidents.map(async ({ accident, delayMs, lasts }) => {
        const { name } = accident;
        count(counts.accidents, name);
        await sleep(delayMs);
        const { text, end, harmless = false } = await accident.run(context);
        if (end) outages.push({ name, until: step + lasts, harmless, end });
        return `; after ${delayMs} ms: ${name} ${text}`;
      });
      const [did, beside] = await Promise.all([Promise.all(done), Promise.all(happened)]);
      say(`${step}  ${did.join(" and ")} in ${seconds(took)} s${beside.join("")}`);
      const found = await invariants({ world, staff, model, random, claims: context.claims });
      if (!report(step, [...context.problems, ...found])) break;
    }
    await endOutages(() => true);
    staff.expectAccidents(false);
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

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function replay(seed: number, step: number): string {
  return `to see it again: npm run robustness -- --seed ${seed} --steps ${step}`;
}
