import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { ApiError, type ApiEvent, type Client, createClient } from "@trivault/client";
import { type RedisServer, startRedis } from "@trivault/testkit";
import fc from "fast-check";
import { openApiDocument, operationsOf } from "../test/api-operations.ts";
import { BEARER, closeApps, TOKEN } from "../test/app-under-test.ts";
import { inputsOf } from "../test/generate-requests.ts";
import { putSigned, type ServedSite, serveSite } from "../test/served-site.ts";

afterEach(closeApps);

const ID = "20261123t020000z-7f3k9xq2";
const OLDER = "20261122t020000z-00000001";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

async function serve(): Promise<{ site: ServedSite; client: Client }> {
  const site = await serveSite(redis.url);
  for (const id of [ID, OLDER]) await putSigned(site.config, site.deps.tiers[0], id);
  await putSigned(site.config, site.deps.tiers[1], ID);
  return { site, client: createClient({ url: `${site.url}/`, token: TOKEN }) };
}

describe("the typed client", () => {
  test("asks for backups, pages through them, holds one", async () => {
    const { client } = await serve();
    const requested = await client.createBackup({ database: "shop" }, { idempotencyKey: "once" });
    expect(requested).toMatchObject({ database: "shop", status: "queued" });
    expect((await client.createBackup({ database: "shop" }, { idempotencyKey: "once" })).id).toBe(requested.id);
    expect(await client.showBackup({ id: requested.id })).toMatchObject({ status: "queued", queue: "known" });

    const first = await client.listBackups({ limit: 1, fresh: true });
    expect(first).toMatchObject({ backups: [{ id: ID }], total: 2, nextCursor: ID });
    const second = await client.listBackups({ limit: 1, ...(first.nextCursor && { cursor: first.nextCursor }) });
    expect(second.backups.map(({ id }) => id)).toEqual([OLDER]);
    expect(second.nextCursor).toBeUndefined();

    expect(await client.keepBackup({ id: OLDER, reason: "lawsuit 4711" })).toMatchObject({ backupId: OLDER });
    const kept = await client.listBackups({ kept: true });
    expect(kept.backups).toEqual([expect.objectContaining({ id: OLDER, keep: "lawsuit 4711" })]);
    expect((await client.listKeeps()).held).toHaveLength(1);
    await client.releaseBackup({ id: OLDER, reason: "settled" });
    const { events } = await client.listAudit({ action: "keep.released" });
    expect(events[0]).toMatchObject({ details: { reason: "lawsuit 4711", why: "settled" } });
  });

  test("filters, by tier, state and time", async () => {
    const { client } = await serve();
    const ids = async (query: NonNullable<Parameters<Client["listBackups"]>[0]>) =>
      (await client.listBackups(query)).backups.map(({ id }) => id);
    expect(await ids({ tier: "remote" })).toEqual([ID]);
    expect(await ids({ tier: "remote", state: "damaged" })).toEqual([]);
    expect(await ids({ to: "2026-11-22T23:00:00Z" })).toEqual([OLDER]);
    expect(await ids({ from: "2026-11-22T23:00:00Z" })).toEqual([ID]);
    expect(await ids({ kept: true })).toEqual([]);
  });

  test("synchronises a tier, and cleans one up by the plan that was seen", async () => {
    const { client, site } = await serve();
    const sync = await client.syncTier({ name: "remote" });
    expect(sync.copies).toEqual([expect.objectContaining({ backupId: OLDER, from: "local" })]);
    const [copy] = sync.copies;
    expect(await client.showJob({ queue: copy?.job.queue ?? "dump", id: copy?.job.id ?? "" })).toMatchObject({
      state: "waiting",
    });
    const plan = await client.planCleanup({ name: "local" });
    expect(plan).toMatchObject({ deleted: 0, kept: 2 });
    const cleaned = await client.cleanUpTier({ name: "local", digest: plan.digest });
    expect(cleaned).toMatchObject({ state: "done", deleted: [] });

    // A plan that deletes: older ones, more than the rules keep.
    for (let n = 0; n < 12; n++)
      await putSigned(site.config, site.deps.tiers[1], `20251101t02${10 + n}00z-0000000${n % 10}`);
    for (let n = 0; n < 12; n++)
      await putSigned(site.config, site.deps.tiers[0], `20251101t02${10 + n}00z-0000000${n % 10}`);
    const fuller = await client.planCleanup({ name: "remote" });
    expect(fuller.deleted).toBeGreaterThan(5);
    const goes = fuller.decisions.filter(({ action }) => action === "delete");
    expect(goes.every(({ reasons }) => reasons.length > 0)).toBe(true);
    const stale = client.cleanUpTier({ name: "remote", digest: plan.digest });
    await expect(stale).rejects.toMatchObject({ status: 409, code: "EXISTS" });
    await client.keepBackup({ id: goes[0]?.backupId ?? "", reason: "of these, this one stays" });
    const changed = client.cleanUpTier({ name: "remote", digest: fuller.digest });
    await expect(changed).rejects.toMatchObject({ status: 409, message: expect.stringMatching(/has changed/) });
    const now = await client.planCleanup({ name: "remote" });
    expect(now.deleted).toBe(fuller.deleted - 1);
    const done = await client.cleanUpTier({ name: "remote", digest: now.digest }, { idempotencyKey: "clean" });
    expect(done.deleted).toHaveLength(now.deleted);
    expect(await client.cleanUpTier({ name: "remote", digest: now.digest }, { idempotencyKey: "clean" })).toEqual(done);
    expect((await client.listBackups({ tier: "remote", fresh: true })).total).toBe(13 - now.deleted);
  });

  test("an error has its code, what to do, and under which id the log has it", async () => {
    const { client, site } = await serve();
    const error: unknown = await client
      .showBackup({ id: "20261123t020000z-00000000" })
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 404,
      code: "NOT_FOUND",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const stranger = createClient({ url: site.url, token: "nobody" });
    await expect(stranger.listBackups()).rejects.toMatchObject({ status: 401, code: "UNAUTHORIZED" });
    await expect(stranger.events().next()).rejects.toMatchObject({ status: 401 });
  });

  test("reads events, and goes on after the connection broke", async () => {
    const { client, site } = await serve();
    const stop = new AbortController();
    const records: string[] = [];
    const record = (database: string) =>
      site.deps.record({ action: "backup.requested", outcome: "ok", actor: "user:a@b", database });
    await record("before");
    const { events } = await client.listAudit({ limit: 1 });
    const reading = (async () => {
      for await (const event of client.events({ signal: stop.signal, lastSeq: (events[0]?.seq ?? 1) - 1 })) {
        if (event.event !== "record") continue;
        const { database = "" } = (event satisfies ApiEvent).data;
        records.push(database);
        if (database === "before") {
          site.app.server.closeAllConnections();
          await record("meanwhile");
        }
        if (database === "meanwhile") stop.abort();
      }
    })();
    await reading;
    expect(records).toEqual(["before", "meanwhile"]);
  }, 30_000);

  test("every method reaches its operation, and none is refused for its form", async () => {
    const { client, site } = await serve();
    const served = await fetch(`${site.url}/api/v1/openapi.json`, { headers: BEARER });
    const document = openApiDocument.parse(await served.json());
    const methods = client as unknown as Record<string, (input: object) => Promise<unknown>>;
    const strange: string[] = [];
    for (const operation of operationsOf(document).filter(({ id }) => id !== "events")) {
      for (const input of fc.sample(inputsOf(operation, document), { seed: 7, numRuns: 2 })) {
        const method = methods[operation.id];
        const outcome = await method?.(input).then(
          () => null,
          (error: unknown) => error,
        );
        // 404 and 409 say that it was understood. 503 is /healthz's answer, or that of what is not there in this test.
        const understood = outcome === null || (outcome instanceof ApiError && [404, 409].includes(outcome.status));
        const ruled =
          outcome instanceof ApiError &&
          outcome.status === 400 &&
          !/^(?:body|params|querystring): /.test(outcome.message);
        if (method === undefined || !(understood || ruled))
          strange.push(`${operation.id} ${JSON.stringify(input)}: ${String(outcome)}`);
      }
    }
    expect(strange).toEqual([]);
  }, 60_000);
});
