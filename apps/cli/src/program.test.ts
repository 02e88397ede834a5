import { describe, expect, test } from "@jest/globals";
import { type Command, CommanderError } from "commander";
import { createProgram } from "./program.ts";

/** Parses as `main.js` does; every line tried here ends before a command begins its work. */
async function parse(line: string): Promise<{ exitCode: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const program = createProgram();
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
  for (const command of all(program)) {
    command.configureOutput({ writeOut: (text) => (out += text), writeErr: (text) => (err += text) });
  }
  try {
    await program.parseAsync(
      line.split(" ").filter((word) => word !== ""),
      { from: "user" },
    );
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode, out, err };
    throw error;
  }
  throw new Error(`${line} was taken for a whole command`);
}

test.each(["", "run", "list", "show", "restore", "verify", "keys generate"])(
  "%s --help goes to stdout, with npm scripts as examples and the exit codes",
  async (command) => {
    const { exitCode, out, err } = await parse(`${command} --help`);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toContain("Usage: trivault");
    expect(out).toMatch(/npm run (?:--silent )?backup:/);
    expect(out).toMatch(/Exit codes:\n +0 .*\n +1 .*\n +2 .*\n +3 /);
  },
);

describe("mistakes", () => {
  test.each<[string, RegExp]>([
    ["", /Usage: trivault/],
    ["bakcup", /unknown command 'bakcup'/],
    ["list --jsn", /unknown option '--jsn'/],
    ["list shop", /too many arguments/],
    ["show", /missing required argument 'id'/],
    ["show ../../etc", /Expected a backup id such as/],
    ["show latest", /Expected a backup id such as/],
    ["sync", /Usage: trivault sync/],
    ["sycn list", /unknown command 'sycn'\n.*Did you mean sync\?/],
    ["cloud lits", /unknown command 'lits'\n.*Did you mean list\?/],
    ["sync sync --wait --inline", /say one of --wait, --inline and --dry-run/],
    ["cloud upload --backup all", /Expected latest or a backup id/],
    ["cloud list --tier", /argument missing/],
    ["rotate --dry-run --yes", /say --dry-run or --yes, not both/],
    ["completion tcsh", /Allowed choices are bash, zsh, fish/],
    ["run --database", /argument missing/],
    ["run --inline --wait", /--inline takes neither --wait/],
    ["run --inline --idempotency-key a", /--inline takes neither --wait nor --idempotency-key/],
    ["run --idempotency-key ü", /ASCII/],
    ["restore --target postgresql://h/x", /required option '--database <name>'/],
    ["restore --database shop --target postgresql://h/x --backup ../../etc", /Expected latest or a backup id/],
    ["restore --database shop --target postgresql://h/x --backup all", /Expected latest or a backup id/],
    ["restore --database shop --target postgresql://h/x --jobs 0", /whole number from 1 to 64/],
    ["restore --database shop --target postgresql://h/x --jobs 1e1", /whole number from 1 to 64/],
    ["verify --backup ../../etc/passwd", /Expected latest, all or a backup id/],
    ["list --databse shop", /unknown option '--databse'\n.*Did you mean --database\?/],
  ])("%s", async (line, message) => {
    const { exitCode, out, err } = await parse(line);
    expect(exitCode).not.toBe(0);
    expect(out).toBe("");
    expect(err).toMatch(message);
  });
});

test("9.C23 no mistyped option suggests one that takes a question or a check away", async () => {
  const words = [
    "before",
    "forc",
    "forced",
    "yess",
    "ye",
    "yet",
    "allow-signed",
    "unsigned",
    "global",
    "owner",
    "removed",
  ];
  const nouns = createProgram().commands.filter((noun) => noun.name() !== "__complete");
  const lines = nouns.flatMap((noun) => [noun.name(), ...noun.commands.map((verb) => `${noun.name()} ${verb.name()}`)]);
  for (const line of [...lines, "restore --database shop --target postgresql://h/x"]) {
    for (const word of words) {
      const { err } = await parse(`${line} --${word}`);
      expect(err).not.toMatch(/Did you mean.*--(?:force|yes|allow-unsigned|globals|no-owner|remove)\b/);
    }
  }
});
