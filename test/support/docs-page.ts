/**
 * What of a page is carried out, in order:
 *
 *     ```sh      commands of the reader's shell; `npm start` alone is a service, and stays
 *     ```sql     statements for psql, as the superuser
 *     ```text    what the block before printed (not all of it need be shown), with other numbers
 *     any other  a file, which the block's first line names in a comment: `# .env`
 *
 * `<!-- not run: why -->` on the line before a block exempts it; readers do not see that.
 */
export type Block = Place &
  (
    | { readonly kind: "sh" | "sql"; readonly text: string; readonly shown: string | null }
    | { readonly kind: "file"; readonly name: string; readonly text: string }
  );

interface Place {
  /** The heading (`## …`) that the block stands under. */
  readonly section: string;
  readonly line: number;
}

export interface Page {
  readonly blocks: readonly Block[];
  /** Why blocks are exempt. */
  readonly notRun: readonly string[];
}

export function parsePage(markdown: string): Page {
  const blocks: Block[] = [];
  const notRun: string[] = [];
  const fence = /(?:^ *<!-- not run: (?<why>.+) -->\n)?^(?<indent> *)```(?<language>\S*)\n(?<body>[^]*?)^ *```$/gm;
  for (const { index, groups = {} } of markdown.matchAll(fence)) {
    const { why, indent = "", language = "", body = "" } = groups;
    const before = markdown.slice(0, index);
    const line = before.split("\n").length;
    const section = [...before.matchAll(/^## (.*)$/gm)].at(-1)?.[1] ?? "";
    const text = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    if (why !== undefined) notRun.push(why);
    else if (language === "text") attach(blocks, text, line);
    else if (language === "sh" || language === "sql") blocks.push({ kind: language, section, line, text, shown: null });
    else blocks.push({ kind: "file", section, line, name: fileName(text, line), text });
  }
  return { blocks, notRun };
}

function attach(blocks: Block[], shown: string, line: number): void {
  const before = blocks.pop();
  if (before === undefined || before.kind === "file") throw new Error(`line ${line}: output of which commands?`);
  blocks.push({ ...before, shown });
}

function fileName(text: string, line: number): string {
  const name = /^# (\S+)$/m.exec(text.split("\n", 1)[0] ?? "")?.[1];
  if (name === undefined) throw new Error(`line ${line}: a block that is a file must begin with "# <its name>"`);
  return name;
}

/** The first line of a page's ```text block that the output lacks, or null. `…` stands for anything. */
export function missingLine(shown: string, output: string): string | null {
  const printed = output.split("\n").map(masked);
  let from = 0;
  for (const line of shown.split("\n").filter((each) => each.trim() !== "" && each.trim() !== "…")) {
    const pattern = new RegExp(
      `^${masked(line)
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".*")}$`,
      "u",
    );
    const at = printed.findIndex((each, index) => index >= from && pattern.test(each));
    if (at === -1) return line;
    from = at + 1;
  }
  return null;
}

/** Without what is different every time: ids, sizes, ages, numbers and the widths of columns. */
function masked(line: string): string {
  return line
    .replaceAll(/\b\d{8}t\d{6}z-[0-9a-z]{8}\b/g, "<id>")
    .replaceAll(/\d+(?:\.\d+)?/g, "#")
    .replaceAll(/# (?:B|[KMGT]iB)(?!\w)/g, "<size>")
    .replaceAll(/# (?:s|min|h|d) ago/g, "<age>")
    .replaceAll(/-{3,}|─+/g, "---")
    .replaceAll(/\s+/g, " ")
    .trim();
}
