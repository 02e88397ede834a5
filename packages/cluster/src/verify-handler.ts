import { findTier, listCopies, siteTrust } from "@trivault/backup";
import { TrivaultError } from "@trivault/core";
import { type MaintenanceSite, verifyRecorded, type VerifySite } from "@trivault/maintenance";
import { type Handler, parseJob, verifyJobSchema } from "@trivault/queue";

/**
 * Reads one copy whole. That it is damaged or missing is the result of the job and no failure of it; only a tier that cannot
 * be read is, and is asked again later.
 */
export function verifyHandler(site: MaintenanceSite & Pick<VerifySite, "history">): Handler {
  return {
    async run(data, context) {
      const { database, backupId, tier: name, actor } = parseJob(verifyJobSchema, "verify", data);
      const { signal, note, progress } = context;
      const tier = findTier(site.tiers, name);
      const ref = { database, backupId };
      // Where this fails, reading the copy does as well, and that is what is recorded.
      const copies = await listCopies(tier, ref, signal).catch(() => []);
      signal.throwIfAborted();
      const checked = await verifyRecorded(site, tier, ref, {
        trust: await siteTrust(site),
        allowUnsigned: false,
        listed: copies.some(({ complete }) => complete),
        signal,
        note,
        progress,
        actor,
      });
      for (const { file, problem } of checked.problems) note(`${file === "" ? "" : `${file} `}${problem}`);
      if (checked.state !== "unknown") return checked;
      throw new TrivaultError("STORE_UNREACHABLE", checked.problems[0]?.problem ?? "The tier could not be read.");
    },
  };
}
