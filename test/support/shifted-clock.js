import { readFileSync } from "node:fs";

// node --import …/shifted-clock.js: the wall clock of this process is off by the milliseconds in the file SHIFTED_CLOCK, which
// may change at any time, as a clock that somebody sets. Timers go on by the monotonic clock, as they do on a real machine.
const file = process.env["SHIFTED_CLOCK"] ?? "";
const LOOK_EVERY_MS = 50;
const SystemDate = Date;
let offset = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

function now() {
  if (performance.now() - lookedAt > LOOK_EVERY_MS) {
    lookedAt = performance.now();
    offset = Number(readFileSync(file, "utf8")) || 0;
  }
  return SystemDate.now() + offset;
}

globalThis.Date = new Proxy(SystemDate, {
  apply: () => new SystemDate(now()).toString(),
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});
