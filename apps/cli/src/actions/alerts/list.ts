import { listAlerts } from "@trivault/alerts";
import type { Language } from "@trivault/core";
import { readEnvironment } from "../../environment.ts";
import { EXIT } from "../../exit-codes.ts";
import { formatTime, print, printJson, printText, table } from "../../output.ts";
import type { Running } from "../../perform.ts";

export interface ListOptions {
  readonly language?: Language;
  readonly json?: boolean;
}

export async function alertsList({ language }: ListOptions, { json }: Running): Promise<number> {
  const { config } = readEnvironment("read");
  const alerts = await listAlerts(config, language ?? config.monitoring.alerts.language, new Date());
  if (json) printJson({ alerts });
  else if (alerts.length === 0) print("No alert is firing.");
  else {
    const rows = alerts.map(({ id, severity, title, since, silence }) => [
      id,
      severity,
      formatTime(new Date(since)),
      silence === null ? "" : formatTime(new Date(silence.until)),
      title,
    ]);
    printText(table(["ALERT", "SEVERITY", "SINCE", "SILENT UNTIL", "WHAT"], rows));
  }
  return EXIT.ok;
}
