import { placeOf, type TierConfig } from "@trivault/core";
import { type ProbeStep, probeTier } from "@trivault/storage";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatSeconds, print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { chooseTiers, type TierNoun } from "./nouns.ts";

export interface TierTestOptions {
  readonly tier?: string;
  readonly json?: boolean;
}

/** Each step is printed when it is through: with a network that hangs, that is what one looks at. */
export async function testTiers(noun: TierNoun, options: TierTestOptions, { signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const tiers: { tier: string; kind: TierConfig["kind"]; ok: boolean; steps: ProbeStep[] }[] = [];
  for (const tier of chooseTiers(config, noun, options.tier)) {
    if (!json && tiers.length > 0) print("");
    if (!json) print(`${tier.name}: ${placeOf(tier)}`);
    const steps: ProbeStep[] = [];
    for await (const step of probeTier(tier, { signal })) {
      steps.push(step);
      if (!json) for (const line of linesOf(step)) print(line);
    }
    const failed = steps.find(({ ok }) => ok === false);
    if (!json)
      print(failed ? `${tier.name}: FAILED at "${failed.step}"` : `${tier.name}: all ${steps.length} steps hold`);
    tiers.push({ tier: tier.name, kind: tier.kind, ok: failed === undefined, steps });
  }
  const ok = tiers.every((tier) => tier.ok);
  if (!ok && config.configFile !== null) {
    say(
      `What a tier of ${config.configFile} says by itself is not set by BACKUP_… variables: correct it in that file.`,
    );
  }
  if (json) printJson({ ok, tiers });
  return ok ? EXIT.ok : EXIT.failed;
}

export function linesOf({ step, ok, detail, advice, seconds }: ProbeStep): string[] {
  const result = ok === null ? "-" : ok ? "ok" : "FAILED";
  const time = ok === null ? "" : formatSeconds(seconds);
  const line = `  ${result.padEnd(6)}  ${step.padEnd(12)}  ${time.padStart(6)}  ${detail}`;
  return advice === null || advice === "" ? [line] : [line, `${" ".repeat(10)}what to do: ${advice}`];
}
