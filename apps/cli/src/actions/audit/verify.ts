import { headSeenByAlerts } from "@trivault/alerts";
import { auditFolder, type AuditVerdict, openAuditLog } from "@trivault/audit";
import { headSeenByReports } from "@trivault/reports";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { print, printJson, say } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface AuditVerifyOptions {
  readonly json?: boolean;
}

const MOST_SHOWN = 50;

export async function auditVerify({ signal, json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const folder = auditFolder(config.backupDir);
  const verdict = await openAuditLog(folder, {
    anchors: async () => (await Promise.all([headSeenByAlerts(config), headSeenByReports(config)])).flat(),
  }).verify(signal);
  if (json) printJson(verdict);
  else for (const line of summary(verdict)) print(line);
  for (const { file, line, what } of verdict.problems.slice(0, MOST_SHOWN)) {
    say(line === 0 ? `${folder}/${file} ${what}.` : `${folder}/${file}, line ${line}: ${what}.`);
  }
  if (verdict.problems.length > MOST_SHOWN)
    say(`… and ${verdict.problems.length - MOST_SHOWN} more (--json shows all).`);
  return verdict.ok ? EXIT.ok : EXIT.failed;
}

function summary({ ok, events, head, waiting, problems }: AuditVerdict): string[] {
  const lines = [
    ok
      ? `The audit log is whole: ${events} events, each as it was written.`
      : `The audit log is not as it was written, in ${problems.length} ${problems.length === 1 ? "place" : "places"}.`,
  ];
  if (head !== null) lines.push(`Last event ${head.seq}, hash ${head.hash}`);
  if (waiting > 0) lines.push(`${waiting} files of events wait to be appended; the next event brings them.`);
  return lines;
}
