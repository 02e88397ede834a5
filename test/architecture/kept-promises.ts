/** What never fails, is waited for at once, or is taken from where it is kept. */
const SAFE = String.raw`(?:await\b|background\b|new Promise\b|Promise\.resolve\b|\w+\.get\b)`;

/**
 * The variables of a source text that keep a promise and may fail before anybody waits for it: an unhandled rejection, which
 * ends the process. A variable counts as a promise where it is awaited by its bare name.
 */
export function keptPromises(text: string): string[] {
  const found = new Set<string>();
  for (const name of awaited(text)) {
    const begun = new RegExp(String.raw`(?<!\.)\b${name}(?:: [^=;\n]+)? (?:\?\?)?= (?!${SAFE})[^;]*?\(`, "g");
    if (begun.test(text)) found.add(name);
  }
  return [...found];
}

function awaited(text: string): Set<string> {
  const alone = [...text.matchAll(/\bawait (\w+)\s*(?:[;,)\]}]|\?\.catch)/g)].map(([, name = ""]) => name);
  const together = [...text.matchAll(/\bPromise\.\w+\(\[([^\]]*)\]/g)].flatMap(([, names = ""]) => names.split(","));
  return new Set([...alone, ...together.map((name) => name.trim()).filter((name) => /^\w+$/.test(name))]);
}
