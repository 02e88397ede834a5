import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Command } from "commander";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { createProgram } from "./program.ts";
import { callCli } from "./testing/call-cli.ts";
import type { Ended } from "./testing/ended.ts";

/**
 * What each command may do in a BACKUP_DIR that is not known to be this site's, such as an empty mount point:
 *
 *   site      it writes, deletes or signs what is the site's: refused, before the first trace
 *   reads     it leaves no trace there
 *   anywhere  it is for machines without a site, too, and leaves at most its line in the audit log (or makes keys)
 *   decides   it is how a person says whose folder it is
 */
type Kind = "site" | "reads" | "anywhere" | "decides";
const ID = "20261123t020000z-7f3k9xq2";
const COMMANDS: readonly (readonly [line: string, kind: Kind])[] = [
  ["run", "site"],
  ["run --inline", "site"],
  ["list", "reads"],
  [`show ${ID}`, "reads"],
  ["restore --database shop", "anywhere"],
  ["verify", "anywhere"],
  ["health", "reads"],
  ["sync list", "reads"],
  ["sync stats", "reads"],
  ["sync test", "reads"],
  ["sync sync --inline", "site"],
  ["sync sync", "site"],
  ["sync cleanup --yes", "site"],
  ["sync cleanup --dry-run", "reads"],
  ["cloud list", "reads"],
  ["cloud stats", "reads"],
  ["cloud test", "reads"],
  ["cloud sync", "site"],
  ["cloud upload --backup latest", "site"],
  ["cloud cleanup --yes", "site"],
  ["rotate --yes", "site"],
  ["rotate --dry-run", "reads"],
  [`keep add ${ID} --reason why`, "site"],
  [`keep remove ${ID}`, "site"],
  ["keep list", "reads"],
  [`keep accept-size --from ${ID}`, "site"],
  ["acknowledge --database main.blog", "site"],
  ["discard --database shop --yes", "site"],
  ["discard --database shop --dry-run", "reads"],
  ["encrypt auto --yes", "site"],
  ["audit logs", "reads"],
  ["audit verify", "reads"],
  ["alerts configure", "reads"],
  ["alerts test", "reads"],
  ["alerts list", "reads"],
  ["alerts silence a1 --for 1h --reason why", "site"],
  ["alerts unsilence a1", "site"],
  ["monitor start", "site"],
  ["reports generate", "reads"],
  ["reports list", "reads"],
  ["keys generate", "anywhere"],
  ["site show", "reads"],
  ["site new", "decides"],
  ["site recover", "decides"],
  ["site move", "decides"],
  ["token create --name a --role viewer", "site"],
  ["token list", "reads"],
  ["token revoke a", "site"],
  ["user add --name ada --role viewer", "site"],
  ["user list", "reads"],
  ["user remove ada", "site"],
  ["user reset ada", "site"],
  ["config check", "reads"],
  ["config schema", "reads"],
  ["completion bash", "reads"],
  ["__complete x", "reads"],
];

/** These are not called here: a bucket's are those of sync, a service goes through runService, and a person is asked. */
const NOT_CALLED =
  /^(?:cloud|monitor|user (?:add|reset)|alerts (?:configure|test)|config check|completion|__complete|site)/;

let dir: TempDir;
let env: Record<string, string>;
beforeEach(async () => {
  dir = await makeTempDir("tv-own");
  const at = (name: string) => path.join(dir.path, name);
  await mkdir(at("mount"));
  env = {
    BACKUP_DIR: at("mount"),
    BACKUP_SPOOL_DIR: at("spool"),
    BACKUP_ENCRYPTION: "none",
    DATABASE_URL: "postgresql://nobody:geheim@127.0.0.1:1/shop",
    BACKUP_RESTORE_TARGET: "postgresql://nobody:geheim@127.0.0.1:1/copy",
    BACKUP_REMOTE_SERVER: "127.0.0.1:1",
    BACKUP_REMOTE_DIR: "/srv",
    BACKUP_SSH_USER: "nobody",
    BACKUP_SSH_KEY: at("no-key"),
    BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
  };
});
afterEach(() => dir.remove());

function call(line: string): Promise<Ended> {
  return callCli(line.split(" "), { cwd: dir.path, env });
}

async function traces(): Promise<string[]> {
  const found = await readdir(path.join(dir.path, "mount"), { recursive: true });
  return found.filter((name) => !/^\.trivault(?:\/audit.*)?$/.test(name));
}

const namesOf = (command: Command, above: readonly string[] = []): string[] =>
  command.commands.length === 0
    ? [above.join(" ")]
    : command.commands.flatMap((each) => namesOf(each, [...above, each.name()]));

test("9.A8 every command that there is says here what it may do where BACKUP_DIR is not known to be this site's", () => {
  const said = new Set(COMMANDS.map(([line]) => line));
  const isSaid = (name: string) => [...said].some((line) => `${line} `.startsWith(`${name} `));
  expect(namesOf(createProgram()).filter((name) => !isSaid(name))).toEqual([]);
});

describe("9.A8 at an empty mount point, while nobody can say whether a tier knows the site,", () => {
  test.each(COMMANDS.filter(([line]) => !NOT_CALLED.test(line)))("%s (%s)", async (line, kind) => {
    const keys = line === "keys generate" ? ` --identity-file ${path.join(dir.path, "identity.txt")}` : "";
    const { code, stderr } = await call(line + keys);
    if (kind === "site") {
      expect(stderr).toMatch(
        /holds no site, and whether this is its first start cannot be known: remote could not be asked/,
      );
      expect(code).toBe(1);
    }
    if (kind !== "anywhere") expect(await readdir(path.join(dir.path, "mount"))).toEqual([]);
    else expect((await traces()).filter((name) => !name.endsWith("signing.key"))).toEqual([]);
  });
});

test("9.A8 what a person says about the site stands in its audit log", async () => {
  const actions = async () =>
    JSON.parse((await call("audit logs --json")).stdout).map(
      ({ action, details }: { action: string; details: object }) => [action, details],
    );
  expect(await call("site recover")).toMatchObject({ code: 1 });
  expect(await readdir(path.join(dir.path, "mount"))).toEqual([]);
  const { site } = JSON.parse((await call("site new --json")).stdout);
  const details = expect.objectContaining({ site: site.id, signingKey: site.signingKey });
  expect(await actions()).toEqual([["site.begun", details]]);
  expect(await call("site move")).toMatchObject({ code: 0 });
  expect((await actions()).map(([action]: [string]) => action)).toContain("site.moved");
});

test("9.A8 every program that is started goes through runService, which asks whose the site is first", async () => {
  const root = path.resolve(import.meta.dirname, "../../..");
  const { scripts } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  const entries = Object.values<string>(scripts).flatMap(
    (script) => script.match(/apps\/(?:api|worker)\/src\/\S+\.js/g) ?? [],
  );
  expect(entries.length).toBeGreaterThan(1);
  for (const entry of new Set(entries)) {
    const text = await readFile(path.join(root, entry), "utf8");
    const [, started = ""] = /import\(?\s*"(\.\/[^"]+\.ts)"/.exec(text) ?? [];
    const program = await readFile(path.join(root, path.dirname(entry), started || path.basename(entry)), "utf8");
    expect([entry, /runService\(/.test(text + program)]).toEqual([entry, true]);
  }
});
