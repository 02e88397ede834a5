import {
  beginNewSite,
  findSites,
  type FoundSites,
  moveSite,
  readSite,
  recoverSite,
  type SiteDeps,
  type SiteIdentity,
} from "@trivault/backup";
import { actor } from "../../actor.ts";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { facts, print, printJson, printText, say } from "../../output.ts";
import type { Running } from "../../perform.ts";
import { withRecord } from "../../record.ts";
import { withTiers } from "../shared/with-tiers.ts";

const DONE = { new: "site.begun", recover: "site.recovered", move: "site.moved" } as const;

/** `wanted`: a site's id, for `recover`. */
export async function site(
  verb: "show" | "new" | "recover" | "move",
  wanted: string | null,
  { signal, json }: Running,
): Promise<number> {
  const { config, log } = readEnvironment("read");
  return withTiers(config, async (tiers) => {
    const deps: SiteDeps = { config, tiers, now: () => new Date(), log, signal };
    if (verb === "show") {
      const [here, found] = [await readSite(config), await findSites(tiers, signal)];
      for (const { tier, reason } of found.unreachable) say(`The tier ${tier} could not be asked: ${reason}`);
      if (json) printJson({ site: here, ...found });
      else {
        printText(describe(config.backupDir, here));
        for (const line of marksOf(found)) print(line);
      }
      return here === null ? EXIT.failed : EXIT.ok;
    }
    const made = await { new: beginNewSite, move: moveSite, recover: (each: SiteDeps) => recoverSite(each, wanted) }[
      verb
    ](deps);
    // Only now: before, there may have been no folder of a site that it could be written into.
    await withRecord(config, (record) =>
      record({
        action: DONE[verb],
        outcome: "ok",
        actor: actor(),
        details: { site: made.id, signingKey: made.signingKey, path: made.path, host: made.hosts.at(-1) ?? null },
      }),
    );
    if (json) printJson({ site: made });
    else printText(describe(config.backupDir, made));
    return EXIT.ok;
  });
}

function describe(backupDir: string, found: SiteIdentity | null): string {
  if (found === null) return `${backupDir} holds no site.`;
  return facts([
    ["Site", found.id],
    ["Begun", found.createdAt],
    ["Folder", found.path],
    ["Hosts", found.hosts.join(", ")],
    ["Signing key", found.signingKey],
  ]);
}

function marksOf({ marks }: FoundSites): string[] {
  return marks.map(({ tier, id, mark }) =>
    mark === null
      ? `${tier} holds a mark of the site ${id} that no site wrote so.`
      : `${tier} is used by the site ${id}, begun ${mark.createdAt}, whose key was ${mark.signingKey}.`,
  );
}
