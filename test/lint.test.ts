import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { makeTempDir } from "@trivault/testkit";

const ROOT = path.dirname(import.meta.dirname);
const CONFIG = path.join(ROOT, ".oxlintrc.json");

interface Finding {
  readonly rule: string;
  readonly line: number | undefined;
}

interface Diagnostic {
  readonly code: string;
  readonly labels: readonly { span: { line: number } }[];
}

/** The real linter with the project's own settings, but for the patterns that keep it away from these very files. */
async function lint(fixture: string): Promise<{ status: number | null; findings: Finding[] }> {
  await using dir = await makeTempDir();
  const config = path.join(dir.path, "oxlintrc.json");
  const settings = JSON.parse(readFileSync(CONFIG, "utf8")) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...settings, ignorePatterns: [] }));
  const args = ["--config", config, "--type-aware", "--format=json", path.join("test/fixtures/lint", fixture)];
  const oxlint = path.join(ROOT, "node_modules/.bin/oxlint");
  const { status, stdout, error } = spawnSync(oxlint, args, { cwd: ROOT, encoding: "utf8" });
  if (error) throw error;
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return { status, findings: diagnostics.map(({ code, labels }) => ({ rule: code, line: labels[0]?.span.line })) };
}

describe("the linter", () => {
  test("fires on a promise that nobody waits for, and on one given to forEach", async () => {
    const { status, findings } = await lint("floating-promise.ts");
    expect(findings).toEqual([
      { rule: "typescript(no-floating-promises)", line: 6 },
      { rule: "typescript(no-misused-promises)", line: 10 },
    ]);
    expect(status).toBe(1);
  });

  test("is quiet where they are awaited", async () => {
    expect(await lint("awaited-promise.ts")).toEqual({ status: 0, findings: [] });
  });
});
