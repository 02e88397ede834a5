import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { prepareConfigChange } from "./edit-file.ts";
import { type ConfigFolder, makeConfigFolder } from "../testing/config-folder.ts";

let made: ConfigFolder;
beforeEach(async () => {
  made = await makeConfigFolder();
});
afterEach(() => made.remove());

const OLD = `# Ours.
timeZone: Europe/Paris # as in the office

alerts:
  # Whom to wake.
  channels:
    ops: { kind: slack, urlEnv: SLACK_URL } # the team's
  repeat: 2h
databases:
  shop: { url: "postgresql://u:hunter2@h/shop" }
`;
const ENV = { BACKUP_DIR: "/backups", SLACK_URL: "https://hooks.example.org/x" };
const ntfy = { at: ["alerts", "channels", "phone"], value: { kind: "ntfy", url: "https://ntfy.sh/acme" } };

test("a setting is changed, and all else stays as it was", async () => {
  await writeFile(made.file, OLD, { mode: 0o644 });
  const prepared = await prepareConfigChange(made.file, [ntfy, { at: ["alerts", "repeat"], value: undefined }], ENV);
  expect(prepared.config.monitoring.alerts.channels.map(({ name }) => name)).toEqual(["ops", "phone"]);
  expect(await readFile(made.file, "utf8")).toBe(OLD);
  await prepared.commit();
  const text = await readFile(made.file, "utf8");
  for (const kept of ["# Ours.", "# as in the office", "# Whom to wake.", "# the team's", "hunter2"]) {
    expect(text).toContain(kept);
  }
  expect(text).not.toContain("repeat");
  expect(text.indexOf("alerts:")).toBeLessThan(text.indexOf("databases:"));
  expect((await stat(made.file)).mode & 0o777).toBe(0o600);
  expect(await readdir(made.folder)).toEqual(["trivault.config.yaml"]);
});

test("a file is made where there is none, and one behind a link is changed where it lies", async () => {
  await (await prepareConfigChange(made.file, [ntfy], ENV)).commit();
  expect(await readFile(made.file, "utf8")).toBe(
    "alerts:\n  channels:\n    phone:\n      kind: ntfy\n      url: https://ntfy.sh/acme\n",
  );
  const link = path.join(made.folder, "link.yaml");
  await symlink(made.file, link);
  await (await prepareConfigChange(link, [{ at: ["alerts", "repeat"], value: "1h" }], ENV)).commit();
  expect(await readFile(made.file, "utf8")).toContain("repeat: 1h");
});

test("what would be wrong is refused whole, with its line and without its secrets", async () => {
  await writeFile(made.file, OLD);
  const wrong = { at: ["alerts", "channels", "bad"], value: { kind: "slack", url: "ftp://hunter2" } };
  const error: unknown = await prepareConfigChange(made.file, [wrong], ENV).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/trivault\.config\.yaml\)[\s\S]*alerts\.channels\.bad\.url \(line \d+\)/);
  expect(String(error)).not.toContain("hunter2");
  expect(await readFile(made.file, "utf8")).toBe(OLD);
  await writeFile(made.file, "alerts: [");
  await expect(prepareConfigChange(made.file, [ntfy], ENV)).rejects.toThrow(/is not good YAML as it is/);
  expect(await readdir(made.folder)).toEqual(["trivault.config.yaml"]);
});

test("what was prepared can be discarded", async () => {
  const prepared = await prepareConfigChange(made.file, [ntfy], ENV);
  await prepared.discard();
  expect(await readdir(made.folder)).toEqual([]);
});
