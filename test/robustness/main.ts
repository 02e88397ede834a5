import { parseArgs } from "node:util";
import { anything } from "./choose.ts";
import { drive } from "./drive.ts";

/** npm run robustness -- --minutes 60 --seed 7: random actions and accidents; ends with 1 where a promise was broken. */
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    steps: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    "go-on": { type: "boolean", default: false },
  },
});
// Ctrl-C ends the steps; what was begun comes to order and is removed. Once more ends at once.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop.abort();
    process.once(signal, () => process.exit(1));
  });
}
process.stdout.write(`seed ${values.seed}\n`);
const result = await drive({
  seed: Number(values.seed),
  choose: anything,
  minutes: Number(values.minutes),
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  patienceMs: 15_000,
  goOn: values["go-on"],
  signal: stop.signal,
  say: (line) => void process.stdout.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(result.problems.length === 0 ? 0 : 1);
