import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { complete } from "./actions/completion/complete.ts";
import { createProgram } from "./program.ts";
import { runCli } from "./testing/spawn-cli.ts";

const MAIN = path.join(import.meta.dirname, "main.js");
const IDS = ["20261123t020000z-7f3k9xq2", "20261122t020000z-7f3k9xq2"];
const run = promisify(execFile);

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), "tv-completion-"));
  await mkdir(path.join(cwd, "bin"));
  await writeFile(path.join(cwd, "bin/trivault"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  await chmod(path.join(cwd, "bin/trivault"), 0o755);
  await mkdir(path.join(cwd, "there/.trivault/inventory"), { recursive: true });
  const copy = (backupId: string, database = "archive") => ({
    database,
    backupId,
    state: "complete",
    bytes: 1,
    objects: 2,
    newestAt: "2026-11-23T02:00:00.000Z",
    classes: {},
    manifest: null,
    expected: null,
  });
  const place = JSON.stringify(path.join(cwd, "there"));
  const cache = { version: 1, trust: "", tier: "local", place, scannedAt: "2026-11-23T02:00:00.000Z", capacity: null };
  const [id = ""] = IDS;
  const foreign = [copy(id, "zz;touch owned $(id) *"), copy(id, "zz\u202Eshop"), copy(id, "zz\nverify")];
  const inventory = { ...cache, copies: [...IDS.toReversed().map((each) => copy(each)), ...foreign] };
  await writeFile(path.join(cwd, "there/.trivault/inventory/local.json"), JSON.stringify(inventory));
});
afterAll(() => rm(cwd, { recursive: true }));

async function words(line: string, env: Record<string, string> = settings()): Promise<string[]> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  let written = "";
  try {
    await complete(createProgram(), line.split(" "), (text) => (written += text));
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
  return written.split("\n").filter((word) => word !== "");
}

const settings = () => ({
  DATABASE_URL: "postgresql://u:geheim@h/shop",
  BACKUP_DIR: path.join(cwd, "there"),
  BACKUP_S3_BUCKET: "acme-backups",
});

test.each<[string, string[]]>([
  ["ver", ["verify"]],
  ["sync ", ["sync", "list", "stats", "test", "cleanup"]],
  ["cloud up", ["upload"]],
  ["sync list --t", ["--tier"]],
  ["sync list --database ", ["archive", "shop", "zz;touch owned $(id) *"]],
  ["sync list --database a", ["archive"]],
  ["cloud sync --wait --tier c", ["cloud"]],
  ["cloud sync --tier = c", ["cloud"]],
  ["verify --backup ", ["latest", ...IDS]],
  ["restore --from ", ["any", "local", "cloud"]],
  ["show ", IDS],
  ["show --json ", IDS],
  ["completion z", ["zsh"]],
  ["keys generate --identity-file ", []],
  ["nonsense ", []],
])("after %j come %j", async (line, expected) => {
  const found = await words(line);
  if (expected.length === 0) expect(found.filter((word) => !/^[a-z]+$/.test(word))).toEqual([]);
  else expect(found).toEqual(expected);
});

test("settings that are wrong are no reason to complain while somebody types", async () => {
  expect(await words("list --database ", { BACKUP_SEGMENT_SIZE: "nonsense" })).toEqual([]);
});

describe("the scripts", () => {
  /** What a real bash completes for each line, with the words that its line editor would hand over. */
  async function bash(...lines: string[]): Promise<string[][]> {
    const completions = lines.map((line) => {
      const parts = line.split(/ |(=)/).filter((part) => part !== undefined);
      const quoted = parts.map((part) => `'${part}'`).join(" ");
      return `COMP_WORDS=(${quoted}); COMP_CWORD=${parts.length - 1}; COMPREPLY=(); _trivault
        printf '%s\\n' "\${COMPREPLY[@]}" end`;
    });
    const script = `source <(trivault completion bash)
      complete -p trivault >/dev/null || exit 9
      ${completions.join("\n")}`;
    const PATH = `${path.join(cwd, "bin")}:${process.env["PATH"]}`;
    const { stdout } = await run("bash", ["--norc", "-c", script], { cwd, env: { ...settings(), PATH } });
    return stdout
      .split("end\n")
      .slice(0, -1)
      .map((said) => said.split("\n").filter((word) => word !== ""));
  }

  test("9.C22 bash completes commands, options and values, a stranger's name as one word", async () => {
    const foreign = String.raw`zz\;touch\ owned\ \$\(id\)\ \*`;
    const lines = [
      "trivault clo",
      "trivault sync list --database ",
      "trivault sync list --database=sh",
      "trivault show 202611",
    ];
    expect(await bash(...lines)).toEqual([["cloud"], ["archive", "shop", foreign], ["shop"], IDS]);
  });

  test.each(["zsh", "fish"])("%s is given one that asks the same program", async (shell) => {
    const { code, stdout } = await runCli(["completion", shell], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/ __complete -- .*words/);
    const program = await run("which", [shell]).catch(() => null);
    if (program) await run(shell, ["-n", "-c", stdout]); // its own syntax check, where it is installed
  });

  test("another shell is a mistake of the command line", async () => {
    expect(await runCli(["completion", "tcsh"], { cwd })).toMatchObject({ code: 2, stdout: "" });
  });
});
