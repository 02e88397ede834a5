import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";

/** npm run simulate -- --databases 100 --hours 48: two days of a site, with accidents; ends with 1 unless all is in order. */
const { values } = parseArgs({
  options: {
    databases: { type: "string", default: "100" },
    hours: { type: "string", default: "48" },
    workers: { type: "string", default: "2" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
  },
});
process.stdout.write(`seed ${values.seed}\n`);
const result = await simulate({
  databases: Number(values.databases),
  slots: Number(values.hours),
  workers: Number(values.workers),
  seed: Number(values.seed),
  rules: { timeZone: "Europe/Paris", everyHours: 1, maintenanceEvery: "15m", hourly: 12, daily: 3 },
  startsAtHour: 17, // days change early
  rate: 360,
  // About as long as a slot takes.
  accidents: { perSlot: 2, withinSeconds: Math.max(5, Number(values.databases) / 4) },
  say: (line) => void process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(result.problems.length === 0 ? 0 : 1);
