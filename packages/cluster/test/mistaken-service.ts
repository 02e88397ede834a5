import { runService } from "../src/process.ts";

/** A service that makes the mistake that it is asked for, and says how it was closed. */
const mistakes: Readonly<Record<string, () => void>> = {
  rejection: () => void Promise.reject(new Error("nobody awaits this")),
  exception: () => setTimeout(() => JSON.parse("{"), 0),
  "one after the other": () => {
    for (const word of ["one", "two"]) setTimeout(() => void Promise.reject(new Error(word)), 0);
  },
};

await runService("test", async () => {
  setTimeout(() => mistakes[process.env["MISTAKE"] ?? ""]?.(), 10);
  return {
    reload: async () => undefined,
    close: async (graceSeconds) => void process.stdout.write(`closed with a grace of ${graceSeconds}\n`),
  };
});
