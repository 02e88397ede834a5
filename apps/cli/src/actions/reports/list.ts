import { listReports } from "@trivault/reports";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface ReportsListOptions {
  readonly json?: boolean;
}

export async function reportsList({ json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const reports = await listReports(config);
  if (json) printJson({ reports });
  else if (reports.length === 0) print("No report is kept yet. The API makes one at each slot of reports.schedule.");
  else {
    const rows = reports.map(({ day, well, mail, summary }) => [
      day,
      well ? "ok" : "ATTENTION",
      mail.sentAt === null ? (mail.problem === null ? "" : "FAILED") : formatTime(mail.sentAt),
      summary,
    ]);
    printText(table(["DAY", "STATE", "MAILED", "SUMMARY"], rows));
  }
  return EXIT.ok;
}
