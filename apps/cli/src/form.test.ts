import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Command, Option } from "commander";
import { createProgram } from "./program.ts";

/** Every command has the same form: whoever knows one knows all. */

const ROOT = path.resolve(import.meta.dirname, "../../..");

interface Leaf {
  /** `sync list` */
  readonly name: string;
  readonly command: Command;
  readonly help: string;
}

const leaves = leavesOf(createProgram(), []);
const find = (option: string, { command }: Leaf): Option | undefined =>
  command.options.find(({ long }) => long === option);

let scripts: Record<string, string>;
let docs: string;
beforeAll(async () => {
  scripts = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8")).scripts;
  docs = await readFile(path.join(ROOT, "docs/cli.md"), "utf8");
});

/** Commands whose result is a text for another program, or that have none. */
const WITHOUT_JSON = ["completion", "config schema", "monitor start"];
/** Commands that are about a machine, a tier as such, or all there is. */
const WITHOUT_DATABASE = [
  "alerts configure",
  "alerts list",
  "alerts silence",
  "alerts test",
  "alerts unsilence",
  "audit verify",
  "cloud test",
  "completion",
  "config check",
  "config schema",
  "keep list",
  "keys generate",
  "monitor start",
  "reports list",
  "site move",
  "site new",
  "site recover",
  "site show",
  "sync test",
  "token create",
  "token list",
  "token revoke",
  "user add",
  "user list",
  "user remove",
  "user reset",
];
const DELETES = ["cloud cleanup", "encrypt auto", "rotate", "sync cleanup"];

describe.each(leaves.map((leaf) => [leaf.name, leaf] as const))("%s", (name, leaf) => {
  test("says what it does, in one line without a full stop", () => {
    expect(leaf.command.description()).toMatch(/^[a-z].*[^.]$/);
  });

  test("has --json, and --database where that makes sense", () => {
    expect(find("--json", leaf) !== undefined).toBe(!WITHOUT_JSON.includes(name));
    expect(find("--database", leaf) !== undefined).toBe(!WITHOUT_DATABASE.includes(name));
  });

  test("what deletes can be looked at first, and asks", () => {
    if (!DELETES.includes(name)) return expect(find("--yes", leaf)?.description ?? "").not.toMatch(/delet/);
    expect(find("--dry-run", leaf)).toBeDefined();
    return expect(find("--yes", leaf)).toBeDefined();
  });

  test("its help has examples that name its own npm script and only options that there are", () => {
    const own = [...leaf.help.matchAll(/npm run (?:--silent )?(backup:[\w:-]+)(?: -- (.*))?/g)];
    const mine = own.filter(([, script]) => script === scriptOf(name));
    expect(mine.length).toBeGreaterThan(0);
    for (const [, script = "", rest = ""] of own) {
      const target = leaves.find((each) => scriptOf(each.name) === script);
      expect({ script, known: target !== undefined }).toEqual({ script, known: true });
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) {
        expect({ script, option, known: target && find(option, target) !== undefined }).toMatchObject({ known: true });
      }
    }
  });

  test("its help shows the exit codes", () => {
    expect(leaf.help).toMatch(/Exit codes:\n +0 .*\n +1 .*\n +2 .*\n +3 /);
  });

  test("its help fits a terminal of 120 columns", () => {
    expect(leaf.help.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  test("has an npm script, which is thin", () => {
    expect(scripts[scriptOf(name)]).toBe(`exec node apps/cli/src/main.js ${name}`);
  });

  test("is described in docs/cli.md", () => {
    expect(docs.includes(`\`${scriptOf(name)}`)).toBe(true);
  });
});

/** The first words of each option's description, by its flags. */
const WORDS: Readonly<Record<string, readonly RegExp[]>> = {
  "--json": [/^print one JSON object on stdout/, /^print one JSON object a line/],
  "--database <name>": [
    /^only those of this database$/,
    /^which database \(default: the only one configured\)$/,
    /^whose backup/,
    /^where several databases are backed up$/,
    /^all of them are of this database/,
    /^which database$/,
  ],
  "--backup <id>": [/^a backup's id, or latest$/, /^a backup's id, latest, or all$/, /^only those of this backup$/],
  "--tier <name>": [/^only /],
  "--dry-run": [/^print the plan/, /^say what is missing/, /^only show what would be done/],
  "--yes": [/^do not ask /],
  "--inline": [/ in this process: needs neither Redis nor workers$/],
  "--wait": [/^show progress until /],
};

test("the same option has the same flags and the same words everywhere", () => {
  const odd: string[] = [];
  for (const { name, command } of leaves) {
    for (const { flags, long, description } of command.options) {
      const known = Object.keys(WORDS).find((each) => each.split(" ")[0] === long);
      if (known === undefined) continue;
      if (flags !== known || !WORDS[known]?.some((words) => words.test(description))) {
        odd.push(`${name} ${flags}: ${description}`);
      }
    }
  }
  expect(odd).toEqual([]);
});

test("no npm script of ours leads nowhere", () => {
  const known = new Set(leaves.map(({ name }) => scriptOf(name)));
  const dead = Object.keys(scripts).filter((script) => script.startsWith("backup:") && !known.has(script));
  expect(dead).toEqual([]);
});

test("docs/cli.md names no command that is not there", () => {
  const named = new Set([...docs.matchAll(/backup:[a-z]+(?::[a-z-]+)?/g)].map(([script]) => script));
  expect([...named].filter((script) => scripts[script] === undefined)).toEqual([]);
});

function leavesOf(command: Command, above: readonly string[]): Leaf[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .flatMap((child): Leaf[] => {
      const words = [...above, child.name()];
      if (child.commands.length > 0) return leavesOf(child, words);
      let help = "";
      child.configureOutput({ writeOut: (text) => (help += text) }).exitOverride();
      child.outputHelp();
      return [{ name: words.join(" "), command: child, help }];
    });
}

function scriptOf(name: string): string {
  return `backup:${name.replaceAll(" ", ":")}`;
}
