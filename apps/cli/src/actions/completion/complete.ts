import { type Config, loadDotEnv, resolveConfig, visibleLine } from "@trivault/core";
import type { Command, Option } from "commander";

/**
 * Prints the words that may stand where the last of `words` is being typed, one a line; nothing where only the shell can
 * help (file names), or where the settings cannot be read: completion is no place for complaints.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  write: (text: string) => void,
): Promise<void> {
  const typed = withoutEqualSigns(words);
  const current = typed.at(-1) ?? "";
  const { command, option, operands } = walk(program, typed.slice(0, -1));
  const candidates = await candidatesFor(command, option, operands, current);
  // A stranger's name that would do something to the terminal, or be several lines, is typed by whoever wants it.
  const harmless = candidates.filter((word) => word === visibleLine(word));
  for (const word of harmless) if (word.startsWith(current)) write(`${word}\n`);
}

/** bash hands \`--tier=re\` over as three words. */
function withoutEqualSigns(words: readonly string[]): string[] {
  const last = words.at(-1) === "=" ? [...words, ""] : words;
  return last.filter((word) => word !== "=");
}

interface Place {
  readonly command: Command;
  /** Whose value comes next. */
  readonly option: Option | null;
  /** How many arguments stand there already. */
  readonly operands: number;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | null = null;
  let operands = 0;
  for (const word of words) {
    if (option !== null) {
      option = null;
    } else if (word.startsWith("-")) {
      const found = command.options.find(({ long, short }) => long === word || short === word);
      option = found !== undefined && (found.required || found.optional) ? found : null;
    } else {
      const next = command.commands.find((each) => each.name() === word);
      if (next === undefined) operands++;
      else command = next;
    }
  }
  return { command, option, operands };
}

async function candidatesFor(
  command: Command,
  option: Option | null,
  operands: number,
  current: string,
): Promise<readonly string[]> {
  if (option !== null) return option.argChoices ?? valuesOf(option.attributeName());
  if (current.startsWith("-")) {
    return [...command.options.flatMap(({ long }) => long ?? []), "--help"];
  }
  const verbs = command.createHelp().visibleCommands(command);
  if (verbs.length > 0) return verbs.map((each) => each.name());
  const argument = command.registeredArguments[operands];
  return argument === undefined ? [] : (argument.argChoices ?? valuesOf(argument.name()));
}

async function valuesOf(name: string): Promise<readonly string[]> {
  try {
    loadDotEnv();
    const config = resolveConfig(process.env, "read");
    switch (name) {
      case "database":
        return await databases(config);
      case "tier":
        return config.tiers.map((tier) => tier.name);
      case "from":
        return ["any", ...config.tiers.map((tier) => tier.name)];
      case "backup":
        return ["latest", ...(await backups(config))];
      case "id":
        return await backups(config);
      default:
        return [];
    }
  } catch {
    return [];
  }
}

async function databases(config: Config): Promise<string[]> {
  const found = (await copiesSeen(config)).map(({ database }) => database);
  return [...new Set([...config.databases.map(({ name }) => name), ...found])].toSorted();
}

/** Newest first. */
async function backups(config: Config): Promise<string[]> {
  const found = (await copiesSeen(config)).map(({ backupId }) => backupId);
  return [...new Set(found)].toSorted().toReversed();
}

/** What was on the tiers when they were looked at last. Imported here, as most completions can do without. */
async function copiesSeen(config: Config): Promise<readonly { database: string; backupId: string }[]> {
  const { readInventories } = await import("@trivault/maintenance");
  return (await readInventories(config)).flatMap(({ copies }) => copies);
}
