import { EXIT } from "../../exit-codes.ts";
import { printText } from "../../output.ts";
import type { Shell } from "../../shells.ts";

/** The shells only pass on what was typed: which words may follow is decided in one place, `complete.ts`. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  // bash puts a word into the command line as it is, so a name is quoted for it; zsh and fish do that themselves.
  bash: `_trivault() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    printf -v word %q "$word"
    COMPREPLY+=("$word")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _trivault trivault`,
  zsh: `#compdef trivault
_trivault() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  if (( \${#found} )); then compadd -- "\${found[@]}"; else _files; fi
}
compdef _trivault trivault`,
  fish: `function __trivault_complete
  set -l words (commandline -opc) (commandline -ct)
  trivault __complete -- $words[2..-1] 2>/dev/null
end
complete -c trivault -a '(__trivault_complete)'`,
};

export async function printCompletion(shell: Shell): Promise<number> {
  printText(SCRIPTS[shell]);
  return EXIT.ok;
}
