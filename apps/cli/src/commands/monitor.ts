import type { Command } from "commander";
import { perform } from "../perform.ts";

export function addMonitor(program: Command): void {
  const monitor = program.command("monitor").description("look at everything in a browser");
  monitor
    .command("start")
    .description("serve the dashboard and the API, without workers, until Ctrl-C")
    .addHelpText(
      "after",
      `
It listens on BACKUP_API_HOST and BACKUP_API_PORT (127.0.0.1:3000), and prints its address. \`npm start\` serves the same
beside its workers: where that runs, open its address instead.

The queue is that of REDIS_URL, or of an \`npm start\` that runs for this BACKUP_DIR. Where there is none, the
dashboard says so and shows what the audit log and the tiers hold; only what would start something is refused.

Examples:
  npm run backup:monitor:start
  BACKUP_API_PORT=3100 npm run backup:monitor:start`,
    )
    .action(() => perform({}, async (running) => (await import("../actions/monitor/start.ts")).startMonitor(running)));
}
