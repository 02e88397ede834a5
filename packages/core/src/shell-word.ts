const STEALTHY = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A text as one word of a shell's command line, whatever it holds. Control characters are written as escapes (`$'a\nb'`, which
 * bash, zsh and POSIX 2024 know): a word can neither become two lines nor change the terminal that shows it.
 */
export function shellWord(text: string): string {
  if (/^[\w./:@%+][\w./:@%+=-]*$/.test(text)) return text;
  if (text.search(STEALTHY) === -1) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${text.replaceAll(/[\\']/g, String.raw`\$&`).replaceAll(STEALTHY, escapeOf)}'`;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}
