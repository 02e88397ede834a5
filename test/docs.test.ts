import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { FIELDS } from "../packages/core/src/config/environment/fields.ts";
import { missingLine, parsePage } from "./support/docs-page.ts";

const root = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const PAGES = ["README.md", ...globSync("docs/**/*.md", { cwd: root })];
const TASKS = globSync("docs/tasks/*.md", { cwd: root });

test("docs/configuration.md names every setting, and none that does not exist", () => {
  const documented = new Set(settingsIn(read("docs/configuration.md")));
  expect(documented).toEqual(new Set(Object.keys(FIELDS)));
});

describe.each(PAGES)("%s", (page) => {
  const text = read(page);

  test("links to files and headings that exist", () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", heading] = target.split("#");
      const linked = file === "" ? page : path.join(path.dirname(page), file);
      const found = globSync(linked, { cwd: root });
      expect({ target, found }).toEqual({ target, found: [linked.replace(/\/$/, "")] });
      if (heading !== undefined) expect(headingsOf(read(linked))).toContain(heading);
    }
  });

  test("names commands and settings that exist", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const commands = [...text.matchAll(/(?<!:\/\/)\bbackup:[a-z]+(?::[a-z]+(?:-[a-z]+)*)*/g)].map(([name]) => name);
    expect(commands.filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(settingsIn(text).filter((name) => !(name in FIELDS))).toEqual([]);
  });
});

describe.each(TASKS)("%s", (page) => {
  test("exempts few blocks from being carried out", () => {
    const { blocks, notRun } = parsePage(read(page));
    expect(blocks.length).toBeGreaterThan(2);
    expect(notRun.length).toBeLessThanOrEqual(3);
  });

  test("quotes what the programs say", () => {
    const sources = globSync("{apps,packages}/*/src/**/*.ts", { cwd: root }).map(read).join("\n");
    for (const said of quotedIn(read(page)))
      expect({ said, found: sources.includes(said) }).toEqual({ said, found: true });
  });
});

describe("the reader of pages", () => {
  test("finds blocks, the output that is shown, files, and what is exempt", () => {
    const page = [
      "## First",
      "- an item",
      "  ```sh",
      "  echo 1",
      "    indented",
      "  ```",
      "",
      "  ```text",
      "  1",
      "  ```",
      "<!-- not run: no systemd -->",
      "```ini",
      "[Unit]",
      "```",
      "```ini",
      "# .env",
      "A=1",
      "```",
    ].join("\n");
    expect(parsePage(page)).toEqual({
      blocks: [
        { kind: "sh", section: "First", line: 3, text: "echo 1\n  indented\n", shown: "1\n" },
        { kind: "file", section: "First", line: 15, name: ".env", text: "# .env\nA=1\n" },
      ],
      notRun: ["no systemd"],
    });
    expect(() => parsePage("```ini\nA=1\n```\n")).toThrow("line 1");
    expect(() => parsePage("```text\n1\n```\n")).toThrow("line 1");
  });

  test.each([
    ["20261123t020000z-7f3k9xq2  1.5 MiB  yes", "20251123t020001z-7f3k9xqa   12 KiB      yes", null],
    ["one\nthree", "one\ntwo\nthree", null],
    ["three\none", "one\ntwo\nthree", "one"],
    ["… in 3 s", "done in 20 s", null],
    ["done in 3 s", "done in 20 min", "done in 3 s"],
  ])("compares %j with the output %j", (shown, output, missing) => {
    expect(missingLine(shown, output)).toBe(missing);
  });
});

function settingsIn(text: string): string[] {
  return [...text.matchAll(/\b((?:BACKUP|WORKER|DATABASE|REDIS|LOG)_[A-Z0-9_]*[A-Z0-9])\b(?!…)/g)].map(
    ([, name = ""]) => name,
  );
}

/** As GitHub makes anchors of headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The first column of tables that begin with "it says"; `…` stands for what differs. */
function quotedIn(text: string): string[] {
  const rows = [...text.matchAll(/^\| it says \|.*\n\|.*\n((?:\|.*\n)+)/gm)].flatMap(([, body = ""]) =>
    body.trim().split("\n"),
  );
  return rows.flatMap((row) =>
    (row.split("|")[1] ?? "")
      .split("…")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
}
