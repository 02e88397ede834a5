import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { freePort, makeTempDir, startReceiver } from "@trivault/testkit";
import { startMailServer } from "@trivault/testkit/mail-server";

/** The programs as an operator runs them; failures that are really there, and what arrives of them. */

const ROOT = path.resolve(import.meta.dirname, "..");
const TOKEN = "a-token-of-the-tests-0123456789";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const HEADERS = { ...BEARER, "content-type": "application/json" };

interface Listed {
  readonly alerts: readonly { id: string; rule: string; members: string[]; silence: { reason: string } | null }[];
  readonly ended: readonly { rule: string }[];
}

test("a failure is delivered by mail and webhook, silenced, and its end is sent; a dead process calls nobody", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await makeTempDir("tv-sent")).path;
  const mail = stack.use(await startMailServer());
  const hook = stack.use(await startReceiver());
  const deadMan = stack.use(await startReceiver({ status: 200, body: "OK" }));
  const port = await freePort();
  const file = path.join(folder, "trivault.config.yaml");
  const ca = path.join(folder, "ca.pem");
  await writeFile(ca, mail.ca);
  const settings = (more = "") => `
databases:
  shop: { url: "postgresql://user:hunter2@127.0.0.1:1/shop", schedule: off }
mail: { host: localhost, port: ${mail.port}, user: ann, passwordEnv: MAIL_PASSWORD, from: "Trivault <b@example.org>" }
alerts:
  channels:
    mail: { kind: email, to: [ops@example.org] }
    hook: { kind: webhook, url: "${hook.url}/in", secretEnv: HOOK_SECRET }
  deadMan: { url: "${deadMan.url}/check", every: 1m }
${more}`;
  await writeFile(file, settings(), { mode: 0o600 });
  const env = {
    PATH: process.env["PATH"] ?? "",
    BACKUP_CONFIG: file,
    BACKUP_DIR: path.join(folder, "backups"),
    BACKUP_SPOOL_DIR: path.join(folder, "spool"),
    BACKUP_ENCRYPTION: "none",
    BACKUP_API_PORT: String(port),
    BACKUP_API_TOKEN: TOKEN,
    BACKUP_PUBLIC_URL: "https://backups.example.org",
    MAIL_PASSWORD: "hunter2",
    HOOK_SECRET: "hunter2hunter2hunter2",
    NODE_EXTRA_CA_CERTS: ca,
  };
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [path.join(ROOT, args[0] ?? ""), ...args.slice(1)], { cwd: folder, env, stdio: "ignore" });
  await mkdir(path.join(folder, "backups"));
  const program = start("apps/api/src/start.js");
  stack.defer(async () => {
    const ended = once(program, "exit");
    if (program.exitCode === null && program.signalCode === null && program.kill("SIGTERM")) await ended;
  });
  const url = `http://127.0.0.1:${port}/api/v1`;
  const list = async () => (await (await fetch(`${url}/alerts`, { headers: HEADERS })).json()) as Listed;
  const until = async (condition: () => boolean | Promise<boolean>) => {
    while (!(await condition())) {
      expect(program.exitCode).toBeNull();
      await sleep(50);
    }
  };
  const sent = () =>
    hook.received.map(({ body }) => JSON.parse(body) as { severity: string; title: string; url: string });

  await until(async () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await until(() => deadMan.received.length > 0);
  expect(deadMan.received[0]?.path).toBe("/check");

  // A database that does not answer: tried once in this process, and not again.
  await once(start("apps/cli/src/main.js", "run", "--inline", "--database", "shop"), "exit");
  await until(() => sent().length === 1 && mail.received.length === 1);
  expect(sent()).toMatchObject([
    { severity: "warning", title: "The backup of shop failed", url: "https://backups.example.org/databases/shop" },
  ]);
  expect(hook.received[0]?.headers["x-trivault-signature"]).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  expect(mail.received[0]).toMatchObject({ to: ["ops@example.org"], secure: true, user: "ann" });
  expect(mail.received[0]?.raw).toMatch(/^Subject: Warning: The backup of shop failed/m);
  expect(JSON.stringify([hook.received, mail.received])).not.toContain("hunter2@");

  const [alert] = (await list()).alerts;
  expect(alert).toMatchObject({ rule: "run-failed", members: ["shop"], silence: null });
  const silence = `${url}/alerts/${alert?.id}/silence`;
  const until_ = new Date(Date.now() + 3_600_000).toISOString();
  const body = JSON.stringify({ reason: "it moves", until: until_ });
  expect((await fetch(silence, { method: "POST", headers: HEADERS, body })).status).toBe(200);
  expect((await list()).alerts[0]?.silence).toMatchObject({ reason: "it moves" });
  expect((await fetch(silence, { method: "DELETE", headers: BEARER })).status).toBe(204);
  expect((await fetch(silence, { method: "DELETE", headers: BEARER })).status).toBe(404);

  // Whoever reads French finds it in French, though the channels speak English.
  const inFrench = (await (await fetch(`${url}/alerts?language=fr`, { headers: HEADERS })).json()) as Listed;
  expect(inFrench.alerts).toMatchObject([{ id: alert?.id, title: "La sauvegarde de shop a échoué" }]);
  for (const page of ["/", "/alerts"]) {
    const shown = await fetch(`http://127.0.0.1:${port}${page}`, { headers: { ...BEARER, "accept-language": "fr" } });
    expect(await shown.text()).toMatch(/<html lang="fr">[^]*La sauvegarde de shop a échoué[^]*À faire\u00A0: Corrigez/);
  }

  // A wrong configuration is reported by the channels of the one in force; a good one ends that.
  await writeFile(file, settings("nonsense: 1\n"));
  await until(() => sent().some(({ title }) => title === "The configuration file is wrong, and not in force"));
  await writeFile(file, settings("reports: { schedule: off }\n"));
  await until(() =>
    sent().some(({ severity, title }) => severity === "resolved" && title.startsWith("The configuration")),
  );
  expect((await list()).ended[0]?.rule).toBe("config-refused");
  // The desk of the new configuration goes on where the old one was.
  expect((await list()).alerts.map(({ rule }) => rule)).toEqual(["run-failed"]);
  expect(sent().filter(({ title }) => title.startsWith("The backup"))).toHaveLength(1);

  const tests = await fetch(`${url}/alerts/test`, { method: "POST", headers: HEADERS, body: "{}" });
  expect(await tests.json()).toMatchObject({
    channels: [
      { channel: "mail", ok: true },
      { channel: "hook", ok: true },
    ],
  });

  const ended = once(program, "exit");
  program.kill("SIGTERM");
  await ended;
  const calls = deadMan.received.length;
  await sleep(1000);
  expect(deadMan.received.length).toBe(calls);
});
