import { Argument, type Command } from "commander";
import { perform } from "../perform.ts";
import { type Shell, SHELLS } from "../shells.ts";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("print what makes a shell complete commands, options, databases, tiers and backups")
    .addArgument(new Argument("<shell>", "for which shell").choices(SHELLS))
    .addHelpText(
      "after",
      `
It is for the program \`trivault\`: \`npx trivault\` in this folder, or a link to node_modules/.bin/trivault in your PATH.
Names come from the settings and from the last look at the tiers; no tier is asked.

Examples:
  npm run --silent backup:completion -- bash > ~/.local/share/bash-completion/completions/trivault
  npm run --silent backup:completion -- zsh > "\${fpath[1]}/_trivault"
  npm run --silent backup:completion -- fish > ~/.config/fish/completions/trivault.fish`,
    )
    .action((shell: Shell) =>
      perform({}, async () => (await import("../actions/completion/completion.ts")).printCompletion(shell)),
    );
  program
    .command("__complete", { hidden: true })
    .description("the words that may come next; the shells' completion asks it")
    .argument("[words...]", "what was typed, the word under the cursor last", everyWord)
    .allowUnknownOption()
    .action(async (words: string[]) =>
      (await import("../actions/completion/complete.ts")).complete(program, words, (text) =>
        process.stdout.write(text),
      ),
    );
}

/** The last word may be empty: nothing of it has been typed yet. */
function everyWord(word: string, before: string[] | undefined): string[] {
  return [...(before ?? []), word];
}
