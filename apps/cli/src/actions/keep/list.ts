import { loadMarks } from "@trivault/maintenance";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, say, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export async function keepList({ json }: Running): Promise<number> {
  const { keep, acceptedFrom, problems } = await loadMarks(readEnvironment("read").config);
  for (const problem of problems) say(problem);
  const held = [...keep]
    .map(([backupId, mark]) => ({ backupId, ...mark }))
    .toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1));
  const accepted = [...acceptedFrom].map(([database, from]) => ({ database, from }));
  if (json) printJson({ held, acceptedSizes: accepted, problems });
  else {
    if (held.length === 0) print("No backup is held.");
    else
      printText(
        table(
          ["BACKUP", "DATABASE", "SINCE", "BY", "REASON"],
          held.map(({ backupId, database, at, actor, reason }) => [backupId, database, formatTime(at), actor, reason]),
        ),
      );
    if (accepted.length > 0) {
      printText(
        `\n${table(
          ["SIZE ACCEPTED OF", "FROM"],
          accepted.map(({ database, from }) => [database, from]),
        )}`,
      );
    }
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}
