import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { auditFolder, openAuditLog, type RecordedEvent } from "@trivault/audit";
import { type Config, type Language, QUEUES, silentLogger } from "@trivault/core";
import type { Overview } from "@trivault/monitor";
import type { Heartbeat } from "@trivault/site";
import { expectNoLeaks, makeTempDir, type Receiver, startReceiver, until } from "@trivault/testkit";
import { makeCertificate, startMailServer } from "@trivault/testkit/mail-server";
import { beat, overviewOf, type Site, testConfig } from "../test/observations.ts";
import { certificateExpiries } from "./certificates.ts";
import { type AlertDesk, startAlerts } from "./desk.ts";
import { headSeenByAlerts } from "./desk-state.ts";
import { listAlerts } from "./list-alerts.ts";
import type { QueueSeen } from "./types.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
afterAll(expectNoLeaks());

interface Desk {
  readonly config: Config;
  readonly ops: Receiver;
  readonly second: Receiver;
  readonly deadMan: Receiver;
  readonly audit: ReturnType<typeof openAuditLog>;
  /** What can be seen; change it at will. */
  readonly world: { site: Site; queues: readonly QueueSeen[] | Error; beats: () => readonly Heartbeat[] };
  /** What was logged as an error. */
  readonly logged: object[];
  start(): AlertDesk;
  /** Titles that arrived at a receiver, with their severity. */
  sentTo(receiver?: Receiver): string[];
}

/** A desk over a real record, files and HTTP servers; what the observer and the queue report is given. */
async function makeDesk(more: { deadMan?: boolean; language?: Language } = {}): Promise<Desk> {
  const stack = new AsyncDisposableStack();
  open.push(() => stack.disposeAsync());
  const folder = stack.use(await makeTempDir("tv-alerts"));
  const [ops, second, deadMan] = [
    stack.use(await startReceiver()),
    stack.use(await startReceiver()),
    stack.use(await startReceiver({ status: 200, body: "OK" })),
  ];
  const config = testConfig(path.join(folder.path, "backups"), {
    channels: [
      { name: "ops", from: "warning", kind: "webhook", url: ops.url, secret: null },
      { name: "second", from: "warning", kind: "webhook", url: second.url, secret: null },
    ],
    language: more.language ?? "en",
    deadMan: more.deadMan ? { url: `${deadMan.url}/uuid`, everySeconds: 0.2 } : null,
  });
  await mkdir(config.backupDir, { recursive: true });
  const audit = openAuditLog(auditFolder(config.backupDir));
  stack.defer(() => audit.close());
  const world: Desk["world"] = {
    site: {},
    queues: QUEUES.map((queue) => ({ queue, waiting: 0, workers: 1 })),
    beats: () => [beat({}, new Date())],
  };
  const logged: object[] = [];
  const log = Object.assign(silentLogger(), { error: (fields: object) => void logged.push(fields) });
  const start = () => {
    const desk = startAlerts({
      config,
      observer: { overview: async (): Promise<Overview> => overviewOf(config, world.site, new Date()) },
      audit,
      record: audit.record,
      queueStates: async () => {
        if (world.queues instanceof Error) throw world.queues;
        return world.queues;
      },
      heartbeats: async () => world.beats(),
      tokens: async () => [],
      now: () => new Date(),
      log,
      everyMs: 50,
    });
    open.push(() => desk.close());
    return desk;
  };
  const sentTo = (receiver = ops) =>
    receiver.received.map(({ body }) => {
      const { severity, title } = JSON.parse(body) as { severity: string; title: string };
      return `${severity}: ${title}`;
    });
  return { config, ops, second, deadMan, audit, world, logged, start, sentTo };
}

async function eventsOf({ audit }: Desk): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const event of audit.query({})) found.push(event);
  return found;
}

const runFailed = { action: "backup.dump", outcome: "failed", actor: "schedule", database: "shop" } as const;
const error = { code: "DUMP_FAILED", message: "pg_dump: permission denied for table orders" };

test("what the audit log shows is sent once by each channel, over a restart too, and so is its end", async () => {
  const made = await makeDesk();
  const desk = made.start();
  await made.audit.record({ ...runFailed, error });
  await until(() => made.sentTo().length === 1 && made.sentTo(made.second).length === 1);
  expect(made.sentTo()).toEqual(["warning: The backup of shop failed"]);
  expect(JSON.parse(made.ops.received[0]?.body ?? "")).toMatchObject({
    text: expect.stringMatching(/permission denied[\s\S]*Still safe: local[\s\S]*What to do/),
  });
  expect(desk.current("en")).toMatchObject([{ rule: "run-failed", members: ["shop"], silence: null }]);
  await desk.close();
  expect(await listAlerts(made.config, "en", new Date())).toHaveLength(1);

  const next = made.start();
  await until(() => next.current("en").length === 1);
  await made.audit.record({ action: "backup.encrypt", outcome: "ok", actor: "schedule", database: "shop" });
  await until(() => made.sentTo().length === 2);
  expect(made.sentTo()[1]).toBe("resolved: The backup of shop failed");
  expect(next.ended("en")).toMatchObject([{ rule: "run-failed" }]);
  await until(async () => (await eventsOf(made)).some(({ action }) => action === "alert.resolved"));
  const actions = (await eventsOf(made)).map(({ action }) => action).filter((action) => action.startsWith("alert."));
  expect(actions).toEqual(["alert.raised", "alert.resolved"]);
});

test("a rule that throws is logged once and reported, and the other rules go on", async () => {
  const made = await makeDesk();
  const desk = made.start();
  made.world.beats = () => [beat({ seenAt: null as never }, new Date())];
  await until(() => made.sentTo().length === 1);
  expect(made.sentTo()[0]).toBe("warning: 2 alert rules cannot be evaluated");
  await made.audit.record({ ...runFailed, error });
  await until(() => made.sentTo().length === 2);
  expect(made.sentTo()[1]).toBe("warning: The backup of shop failed");
  const [failure, ...others] = desk.current("en").filter(({ rule }) => rule === "rule-failed");
  expect({ members: failure?.members, others }).toEqual({ members: ["no-worker", "clock-drift"], others: [] });
  expect(made.logged).toHaveLength(2);
  made.world.beats = () => [beat({}, new Date())];
  await until(() => made.sentTo().length === 3);
  expect(made.sentTo()[2]).toMatch(/^resolved: 2 alert rules/);
});

test("what happened while nobody looked is sent at the next start", async () => {
  const made = await makeDesk();
  const first = made.start();
  await made.audit.record({ ...runFailed, error });
  await until(() => made.sentTo().length === 1);
  await first.close();
  await made.audit.record({ action: "backup.encrypt", outcome: "ok", actor: "schedule", database: "shop" });
  await made.audit.record({ ...runFailed, database: "billing", error: { code: "STORE_FULL", message: "full" } });
  made.start();
  await until(() => made.sentTo().length === 3);
  expect(made.sentTo().slice(1).toSorted()).toEqual([
    "resolved: The backup of shop failed",
    "warning: The backup of billing failed",
  ]);
});

test("one of two processes sends, and the other takes over", async () => {
  const made = await makeDesk();
  const desks = [made.start(), made.start()];
  await made.audit.record({ ...runFailed, error });
  await until(() => desks.every((desk) => desk.current("en").length === 1));
  expect(made.sentTo()).toHaveLength(1);
  await desks[0]?.close();
  await made.audit.record({ action: "backup.encrypt", outcome: "ok", actor: "schedule", database: "shop" });
  await until(() => made.sentTo().length === 2);
  expect(desks[1]?.current("en")).toEqual([]);
});

test("a channel that fails is reported by the others, tried again, and holds up nothing", async () => {
  const made = await makeDesk();
  made.ops.next.push(...Array.from({ length: 20 }, () => ({ status: 404 })));
  made.start();
  await made.audit.record({ ...runFailed, error });
  await until(() => made.sentTo(made.second).length === 2);
  expect(made.sentTo(made.second)).toEqual([
    "warning: The backup of shop failed",
    "warning: Alerts do not reach the channel ops",
  ]);
  const failures = (await eventsOf(made)).filter(({ action }) => action === "channel.failed");
  expect(failures).toMatchObject([{ details: { channel: "ops", kind: "webhook" } }]);
});

test("an alert is silenced with a reason and an end, and heard of again", async () => {
  const made = await makeDesk();
  const desk = made.start();
  await made.audit.record({ ...runFailed, error });
  await until(() => desk.current("en").length === 1);
  const id = desk.current("en")[0]?.id ?? "";
  const request = { alert: id, reason: "the server moves", until: new Date(Date.now() + 3_600_000), actor: "user:ann" };
  await desk.silence(request);
  expect(desk.current("en")[0]?.silence).toMatchObject({ reason: "the server moves", by: "user:ann" });
  await expect(desk.silence({ ...request, alert: "run-failed-00000000" })).rejects.toThrow(
    /No alert .* fires: there is/,
  );
  await expect(desk.silence({ ...request, until: new Date(0) })).rejects.toThrow(/must end in the future/);
  expect(await desk.unsilence(id, "user:ann")).toBe(true);
  expect(await desk.unsilence(id, "user:ann")).toBe(false);
  expect(desk.current("en")[0]?.silence).toBeNull();
  const actions = (await eventsOf(made)).filter(({ actor }) => actor === "user:ann").map(({ action }) => action);
  expect(actions).toEqual(["alert.silenced", "alert.unsilenced"]);
});

test("a broken state is begun anew, and the folder may vanish", async () => {
  const made = await makeDesk();
  const folder = path.join(made.config.backupDir, ".trivault/alerts");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "state.json"), '{"version":1,"alerts":"x"');
  await writeFile(path.join(folder, "silences.json"), "x");
  made.start();
  await made.audit.record({ ...runFailed, error });
  await until(() => made.sentTo().length === 1);
  await until(async () => (await readFile(path.join(folder, "state.json"), "utf8")).includes("run-failed"));
  await rm(folder, { recursive: true, maxRetries: 20 });
  await made.audit.record({ ...runFailed, database: "billing", error: { code: "STORE_FULL", message: "full" } });
  await until(() => made.sentTo().some((line) => line.endsWith("The backup of billing failed")));
});

test("every channel can be tried, one or all", async () => {
  const made = await makeDesk();
  const desk = made.start();
  made.second.next.push({ status: 403 });
  const results = await desk.test();
  expect(results).toMatchObject([
    { channel: "ops", ok: true, problem: null },
    { channel: "second", ok: false, problem: expect.stringMatching(/answered 403/) },
  ]);
  expect(made.sentTo()).toEqual(["info: A test from Trivault"]);
  expect(await desk.test("second")).toMatchObject([{ ok: true }]);
  await expect(desk.test("third")).rejects.toThrow(/No channel third is configured: there is ops, second/);
});

test("channels and the dead man's switch are sent in the language of the configuration", async () => {
  const made = await makeDesk({ deadMan: true, language: "fr" });
  const desk = made.start();
  const lost = { action: "tier.vanished", outcome: "failed", actor: "maintenance" } as const;
  await made.audit.record({ ...lost, tier: "cloud", database: "shop", details: { copies: 3 } });
  await until(() => made.sentTo().length === 1);
  expect(made.sentTo()).toEqual(["critical: 3 copies ont disparu de cloud"]);
  expect(JSON.parse(made.ops.received[0]?.body ?? "")).toMatchObject({
    text: expect.stringMatching(/Toujours en sécurité[^]*À faire/),
    facts: { Niveau: "cloud", Bases: "shop", Copies: "3", Alerte: expect.stringMatching(/^tier-shrunk-/) },
  });
  await until(() => made.deadMan.received.some(({ path: at }) => at === "/uuid/fail"));
  expect(made.deadMan.received.at(-1)?.body).toBe("3 copies ont disparu de cloud");
  await desk.test("second");
  expect(made.sentTo(made.second).at(-1)).toBe("info: Un test de Trivault");
  expect(desk.current("en").map(({ title }) => title)).toEqual(["3 copies vanished from cloud"]);
  expect(desk.current("fr").map(({ title }) => title)).toEqual(["3 copies ont disparu de cloud"]);
});

test("the dead man's switch hears of good and bad, and nothing more once nobody evaluates", async () => {
  const made = await makeDesk({ deadMan: true });
  const desk = made.start();
  await until(() => made.deadMan.received.some(({ path: at }) => at === "/uuid"));
  const lost = { action: "tier.vanished", outcome: "failed", actor: "maintenance" } as const;
  await made.audit.record({ ...lost, tier: "cloud", database: "shop", details: { copies: 3 } });
  await until(() => made.deadMan.received.some(({ path: at }) => at === "/uuid/fail"));
  expect(made.deadMan.received.at(-1)?.body).toBe("3 copies vanished from cloud");
  await desk.close();
  const heard = made.deadMan.received.length;
  await sleep(500); // more than two periods of the switch
  expect(made.deadMan.received.length).toBe(heard);
});

test("certificates are read by a handshake: HTTPS, mail by TLS and STARTTLS", async () => {
  const { key, cert } = await makeCertificate();
  const https = createTlsServer({ key, cert });
  await new Promise<void>((resolve) => void https.listen(0, "127.0.0.1", resolve));
  open.push(() => new Promise((resolve) => void https.close(resolve)));
  const address = https.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await using mail = await startMailServer();
  await using secure = await startMailServer({ secure: true });
  const base = testConfig();
  const s3 = { kind: "s3", endpoint: `https://127.0.0.1:${port}` } as unknown as Config["tiers"][number];
  const smtp = { host: "127.0.0.1", user: null, password: null, from: "a@b" };
  const expiries = (
    tier: Config["tiers"][number][],
    at: number,
    security: "tls" | "starttls",
    publicUrl: string | null,
  ) =>
    certificateExpiries(
      {
        tiers: tier,
        api: { ...base.api, publicUrl },
        monitoring: { ...base.monitoring, mail: { ...smtp, port: at, security } },
      },
      new AbortController().signal,
      () => undefined,
    );
  const inDays = (at: Date | null | undefined) => ((at?.getTime() ?? 0) - Date.now()) / 86_400_000;
  const found = await expiries([s3], mail.port, "starttls", "http://plain.example.org");
  expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    `certificate 127.0.0.1:${port}`,
    `certificate 127.0.0.1:${mail.port}`,
  ]);
  for (const { at } of found) expect(Math.round(inDays(at))).toBe(30);
  const [ofMail] = await expiries([], secure.port, "tls", null);
  expect(Math.round(inDays(ofMail?.at))).toBe(30);
  const gone = await expiries([], 1, "tls", "https://127.0.0.1:1");
  expect(gone.map(({ at }) => at)).toEqual([null]);
});

test("9.A8 an audit log that was removed while the desk runs fires an alert, and its state carries the end", async () => {
  const made = await makeDesk();
  const desk = made.start();
  await made.audit.record({ action: "config.loaded", outcome: "ok", actor: "schedule" });
  const head = made.audit.head();
  await until(async () => (await headSeenByAlerts(made.config))[0]?.hash === head?.hash);
  await rm(auditFolder(made.config.backupDir), { recursive: true });
  // Each look sees it; the daily check would be the first to do so a minute after the start.
  await until(() => made.sentTo().some((title) => /^critical: .*audit log/i.test(title)), { seconds: 45 });
  expect(desk.current("en")).toMatchObject([{ rule: "audit-broken" }]);
  const broken = (await eventsOf(made)).find(({ action }) => action === "audit.broken");
  expect(broken).toMatchObject({ seq: 2, details: { head: 1, last: 0 } });
});
