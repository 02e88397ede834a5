/**
 * `postgresql://user:secret@host/db` → `postgresql://user:***@host/db`, anywhere in a text or a line of JSON; private keys, of
 * age and in PEM, go as well. It sees every log line and much foreign text: so its work grows with the text, and no faster.
 */
export function hidePasswords(text: string): string {
  return hideKeys(hideInUrls(text)).replaceAll(/([?&](?:ssl)?password=)(?:[^\s&"\\]|\\.)+/gi, "$1***");
}

function hideInUrls(text: string): string {
  let shown = "";
  let done = 0;
  /** Between the last look and here no "@" lies, so that nobody looks there again. */
  let barren = 0;
  for (let at = text.indexOf("://"); at !== -1; at = text.indexOf("://", Math.max(at + 3, done))) {
    let colon = at + 3;
    while (colon < text.length && !endsUser(text[colon] ?? "")) colon++;
    if (text[colon] !== ":" || colon < barren || !endsWithScheme(text, done, at)) continue;
    const { password, end } = findPassword(text, colon + 1);
    if (password === null) {
      barren = end;
      continue;
    }
    shown += `${text.slice(done, colon + 1)}***`;
    done = password;
  }
  return shown + text.slice(done);
}

/**
 * Where the password that begins here ends, at an "@": the last one before a slash, else the first one after it; and where
 * the look ended. A backslash and what follows are one character of JSON, and no password reaches past the quote that ends its string.
 */
function findPassword(text: string, start: number): { password: number | null; end: number } {
  let password: number | null = null;
  let slash = false;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === '"' || isSpace(character)) break;
    if (character === "\\") {
      if (at + 1 === text.length || text[at + 1] === "\n") break;
      at++;
    } else if (character === "@" && at > start) {
      password = at;
      if (slash) break;
    } else if (character === "/") {
      if (password !== null || text[start] === "@") break;
      slash = true;
    }
  }
  return { password, end: at };
}

/** A scheme is a letter, then letters, digits, "+", "." and "-": some letter must lie in the run of these before "://". */
function endsWithScheme(text: string, from: number, end: number): boolean {
  for (let at = end - 1; at >= from; at--) {
    const character = text[at] ?? "";
    if ((character >= "a" && character <= "z") || (character >= "A" && character <= "Z")) return true;
    if (!"0123456789+.-".includes(character)) return false;
  }
  return false;
}

function endsUser(character: string): boolean {
  return ':/@"\\'.includes(character) || isSpace(character);
}

function isSpace(character: string): boolean {
  return character <= " " || (character > "~" && character.trim() === "");
}

/** What follows an age identity's or a PEM key's beginning, up to its end or that of the text. */
function hideKeys(text: string): string {
  if (!text.includes("PRIVATE KEY-----") && !/AGE-SECRET-KEY-/i.test(text)) return text;
  return text
    .replaceAll(/AGE-SECRET-KEY-[0-9A-Z-]+/gi, "AGE-SECRET-KEY-***")
    .replaceAll(/(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----)[A-Za-z0-9+/=:,.\s\\-]*/g, "$1***");
}
