import { CommanderError } from "commander";
import { EXIT } from "./exit-codes.ts";
import { createProgram } from "./program.ts";

// `… | head` closes the pipe: whoever reads has read enough, which is no error.
process.stdout.on("error", () => process.exit());

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed what is wrong, or the help or version that was asked for.
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
// All is closed by now; a handle that a library left open must not keep a cron job for ever.
process.exit();
