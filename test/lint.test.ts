import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { makeTempDir } from "@trivault/testkit";

const ROOT = path.dirname(import.meta.dirname);
const CONFIG = path.join(ROOT, ".oxlintrc.json");
const FIXTURES = "test/fixtures/lint";

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { span: { line: number } }[];
}

/** The real linter with the project's own settings, but for the patterns that keep it away from these very files. */
async function lint(folder: string): Promise<{ status: number | null; findings: string[] }> {
  await using dir = await makeTempDir();
  const config = path.join(dir.path, "oxlintrc.json");
  const settings = JSON.parse(readFileSync(CONFIG, "utf8")) as Record<string, unknown>;
  writeFileSync(config, JSON.stringify({ ...settings, ignorePatterns: [] }));
  const args = ["--config", config, "--type-aware", "--format=json", folder];
  const oxlint = path.join(ROOT, "node_modules/.bin/oxlint");
  const { status, stdout, error } = spawnSync(oxlint, args, { cwd: ROOT, encoding: "utf8" });
  if (error) throw error;
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  const findings = diagnostics.map(
    ({ code, filename, labels }) => `${path.basename(filename)}:${labels[0]?.span.line} ${code}`,
  );
  return { status, findings: findings.toSorted() };
}

test("the linter fires on a promise that nobody waits for and on one given to forEach, and not where they are awaited", async () => {
  expect(readdirSync(path.join(ROOT, FIXTURES))).toEqual([
    "awaited-promise.ts",
    "floating-promise.ts",
    "tsconfig.json", // so that the linter reads these two and not the whole program
  ]);
  expect(await lint(FIXTURES)).toEqual({
    status: 1,
    findings: [
      "floating-promise.ts:10 typescript(no-misused-promises)",
      "floating-promise.ts:6 typescript(no-floating-promises)",
    ],
  });
});
