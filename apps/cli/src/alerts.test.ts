import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog } from "@trivault/audit";
import { makeTempDir, type Receiver, startReceiver, type TempDir } from "@trivault/testkit";
import { changesOf, type Wanted } from "./actions/alerts/changes.ts";
import { dialogue } from "./actions/alerts/dialogue.ts";
import { runCli } from "./testing/spawn-cli.ts";

let dir: TempDir;
let hook: Receiver;
beforeEach(async () => {
  dir = await makeTempDir("tv-cli-alerts");
  hook = await startReceiver();
});
afterEach(async () => {
  await hook[Symbol.asyncDispose]();
  await dir.remove();
});

const file = () => path.join(dir.path, "trivault.config.yaml");
const cli = (args: readonly string[], stdin?: string) =>
  runCli(args, {
    cwd: dir.path,
    env: {
      BACKUP_DIR: path.join(dir.path, "backups"),
      HOOK_URL: `${hook.url}/services/hunter2`,
      DEAD: `${hook.url}/dead`,
    },
    ...(stdin === undefined ? {} : { stdin }),
  });
const line = (text: string, stdin?: string) => cli(text.split(" "), stdin);

test("a channel is tried with a real message before it is written, and the file keeps the rest", async () => {
  await writeFile(file(), "# Ours.\ntimeZone: Europe/Paris # the office\n");
  const made = await line("alerts configure --channel ops --kind slack --url-env HOOK_URL --from critical");
  expect(made).toMatchObject({ code: 0, stderr: "ops took a test message.\n" });
  expect(hook.received.map(({ path: at }) => at)).toEqual(["/services/hunter2"]);
  expect(await readFile(file(), "utf8")).toBe(
    "# Ours.\ntimeZone: Europe/Paris # the office\nalerts:\n  channels:\n    ops:\n      kind: slack\n      from: critical\n      urlEnv: HOOK_URL\n",
  );
  expect((await stat(file())).mode & 0o777).toBe(0o600);

  hook.next.push({ status: 404, body: "no_team" });
  const refused = await line("alerts configure --channel second --kind slack --url-env HOOK_URL --json");
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    written: false,
    tests: [{ channel: "second", ok: false, problem: expect.stringMatching(/answered 404/) }],
  });
  expect(await readFile(file(), "utf8")).not.toContain("second");
  expect(refused.stdout + refused.stderr).not.toContain("hunter2");
});

test("a secret comes from stdin, or is named; the dead man's switch is called; channels are taken out", async () => {
  expect(await line("alerts configure --channel hook --kind webhook --stdin", `${hook.url}/in\n`)).toMatchObject({
    code: 0,
  });
  expect(await line("alerts configure --dead-man-url-env DEAD --dead-man-every 10m")).toMatchObject({ code: 0 });
  expect(hook.received.map(({ path: at }) => at)).toEqual(["/in", "/dead"]);
  const unset = await line("alerts configure --channel gone --kind ntfy --url-env NOT_SET");
  expect(unset.code).toBe(1);
  expect(unset.stderr).toMatch(/gone: It cannot be tried here: .*NOT_SET is not set/);
  expect(await line("alerts configure --channel gone --kind ntfy --url-env NOT_SET --no-test")).toMatchObject({
    code: 0,
  });
  expect(await line("alerts configure --remove gone")).toMatchObject({ code: 0 });
  const text = await readFile(file(), "utf8");
  expect(text).toContain(`url: ${hook.url}/in`);
  expect(text).toMatch(/deadMan:\n +urlEnv: DEAD\n +every: 10m/);
  expect(text).not.toContain("gone");
});

test("messages that try a channel are in the language of the configuration", async () => {
  await writeFile(file(), "alerts:\n  language: fr\n");
  expect(await line("alerts configure --channel ops --kind webhook --url-env HOOK_URL")).toMatchObject({ code: 0 });
  expect(await line("alerts test")).toMatchObject({ code: 0 });
  expect(hook.received.map(({ body }) => (JSON.parse(body) as { title: string }).title)).toEqual([
    "Un test de Trivault",
    "Un test de Trivault",
  ]);
});

test("what is wrong or missing is reported, and nothing is changed", async () => {
  for (const [args, reason] of [
    ["alerts configure", /nobody can be asked \(no terminal\)/],
    ["alerts configure --channel Ops --kind slack --url-env HOOK_URL", /alerts\.channels\.Ops .*no name for a channel/],
    ["alerts test", /No channel is configured/],
    ["alerts silence run-failed-1a2b3c4d --for 8h --reason moving", /No alert .* fires: there is none now/],
  ] as const) {
    const { code, stderr } = await line(args);
    expect({ args, code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
  }
  expect(() => changesOf({ kind: "slack" })).toThrow(/--channel is missing: of which channel is --kind/);
  expect(() => changesOf({ channel: "ops", urlEnv: "HOOK_URL" })).toThrow(/--kind is missing/);
  await expect(stat(file())).rejects.toThrow(/ENOENT/);
});

test("alerts are listed, silenced and heard of again, on the audit log", async () => {
  expect(await line("alerts list")).toMatchObject({ code: 0, stdout: "No alert is firing.\n" });
  const folder = path.join(dir.path, "backups/.trivault/alerts");
  const at = "2026-11-23T02:00:00.000Z";
  const alert = {
    id: "run-failed-1a2b3c4d",
    rule: "run-failed",
    subject: "X",
    severity: "warning",
    since: at,
    raisedAt: at,
    members: ["shop"],
    words: {
      title: "The backup of shop failed",
      text: "t",
      facts: [],
      link: null,
      translated: { fr: { title: "La sauvegarde de shop a échoué", text: "t", facts: [] } },
    },
    told: null,
  };
  const empty = { version: 1, seen: null, incidents: {}, signs: [], ended: [], outbox: [], toRecord: [] };
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "state.json"), JSON.stringify({ ...empty, alerts: [alert] }));
  expect((await line("alerts list")).stdout).toMatch(
    /run-failed-1a2b3c4d +warning +2026-11-23 02:00:00 UTC +The backup of shop/,
  );
  expect((await line("alerts list --language fr")).stdout).toMatch(/ La sauvegarde de shop a échoué\n/);
  expect(await line("alerts list --language de")).toMatchObject({ code: 2 });
  const report = (await line("reports generate --language fr")).stdout;
  expect(report.replaceAll(/\s+/g, " ")).toContain("L’alerte « La sauvegarde de shop a échoué » dure depuis");
  await writeFile(file(), "alerts: { language: fr }\n");
  expect(JSON.parse((await line("alerts list --json")).stdout).alerts[0].title).toBe("La sauvegarde de shop a échoué");
  expect((await line("alerts list --language en")).stdout).toMatch(/ The backup of shop failed\n/);
  await rm(file());
  const silenced = await cli(["alerts", "silence", alert.id, "--for", "8h", "--reason", "the server moves"]);
  expect(silenced).toMatchObject({ code: 0, stdout: expect.stringMatching(/is silent until/) });
  const listed = JSON.parse((await line("alerts list --json")).stdout);
  expect(listed.alerts).toMatchObject([{ id: alert.id, silence: { reason: "the server moves" } }]);
  expect(await line(`alerts unsilence ${alert.id}`)).toMatchObject({ code: 0 });
  const audit = openAuditLog(auditFolder(path.join(dir.path, "backups")));
  const actions: string[] = [];
  for await (const { action } of audit.query({})) actions.push(action);
  expect(actions).toEqual(["alert.silenced", "alert.unsilenced"]);
});

test("a person is asked in plain words, and may name a variable instead of a secret", async () => {
  const ofMail = ["email", "", "n", "smtp.example.org", "", "", "backup", "hunter2", "Trivault <b@example.org>"];
  const ofChat = ["pigeon", "telegram", "chat", "y", "123456:hunter2hunter2", "-1001234567890"];
  const ofSlack = ["slack", "ops", "", "SLACK_URL"];
  const answers = [...ofMail, "a@x.org b@x.org", ...ofChat, ...ofSlack, "", "https://hc.example.org/x"];
  const said: string[] = [];
  const answer = async () => answers.shift() ?? "";
  const steps: Wanted[] = [];
  for await (const step of dialogue({ ask: answer, askSecret: answer, say: (text) => said.push(text) }, null)) {
    steps.push(step);
  }
  expect(answers).toEqual([]);
  expect(said.join("\n")).toContain("There is email, slack");
  const settings = Object.fromEntries(steps.flatMap(changesOf).map(({ at, value }) => [at.join("."), value]));
  expect(settings).toEqual({
    "alerts.channels.email": { kind: "email", to: ["a@x.org", "b@x.org"] },
    "mail.host": "smtp.example.org",
    "mail.security": "starttls",
    "mail.user": "backup",
    "mail.password": "hunter2",
    "mail.passwordEnv": undefined,
    "mail.from": "Trivault <b@example.org>",
    "alerts.channels.chat": {
      kind: "telegram",
      from: "critical",
      botToken: "123456:hunter2hunter2",
      chatId: -1001234567890,
    },
    "alerts.channels.ops": { kind: "slack", urlEnv: "SLACK_URL" },
    "alerts.deadMan": { url: "https://hc.example.org/x" },
  });
});
