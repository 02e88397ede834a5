import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { createToken, ROLES } from "@trivault/access";
import { AUDIT_ACTIONS } from "@trivault/audit";
import { TEXTS } from "@trivault/dashboard";
import { SITES } from "@trivault/dashboard/fixtures";
import { makeTempDir, type TempDir } from "@trivault/testkit";
import { appUnderTest, closeApps } from "../../test/app-under-test.ts";
import { deskOf, observerOf } from "../../test/fixture-site.ts";
import type { App } from "../deps.ts";

afterEach(closeApps);

let dir: TempDir;
let accessFile: string;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  dir = await makeTempDir("tv-actions");
  accessFile = path.join(dir.path, "access.json");
  for (const role of ROLES) {
    tokens[role] = await createToken(accessFile, { name: role, role, createdBy: "test", expiresAt: null }, new Date());
  }
});
afterAll(() => dir.remove());

const BACKUP = "20261123t085430z-7f3k9xq2";
const site = () =>
  appUnderTest({
    token: null,
    api: { accessFile },
    observer: observerOf(SITES.failing()),
    alerts: deskOf(SITES.failing()),
  });

/** As a browser that gives a token as its password: it sends it by itself, so forms have to carry theirs. */
const browserOf = (role: string) => ({
  host: "backups.example.org",
  authorization: `Basic ${Buffer.from(`x:${tokens[role]}`).toString("base64")}`,
  accept: "text/html",
  "accept-language": "en",
});

async function csrfOf(app: App, role: string): Promise<string> {
  const { body } = await app.inject({ url: "/databases/shop", headers: browserOf(role) });
  return /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? "";
}

async function send(app: App, role: string, url: string, fields: Record<string, string>) {
  return app.inject({
    method: "POST",
    url,
    headers: { ...browserOf(role), "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams(fields).toString(),
  });
}

describe("a form", () => {
  test("without the page's token does nothing", async () => {
    const { app, events } = site();
    for (const fields of [{}, { _csrf: "guessed" }]) {
      const answer = await send(app, "operator", "/databases/shop/backup", fields);
      expect(answer.statusCode).toBe(403);
    }
    expect(events.map(({ action }) => action)).not.toContain("backup.requested");
  });

  test("asks the API, and says on a page why it was refused", async () => {
    const { app } = site();
    const _csrf = await csrfOf(app, "operator");
    const away = await send(app, "operator", "/databases/shop/backup", { _csrf });
    expect(away.statusCode).toBe(503);
    expect(away.headers["content-type"]).toMatch(/^text\/html/);
    expect(away.body).toMatch(/That did not work.*Redis/s);
    const unknown = await send(app, "operator", "/databases/nothing/backup", { _csrf });
    expect(unknown.statusCode).toBe(404);
    expect(unknown.body).toMatch(/No database named &quot;nothing&quot;/);
    const gone = await send(app, "operator", `/backups/${BACKUP}/keep`, { _csrf, reason: "law" });
    expect(gone.statusCode).toBe(404);
    const nonsense = await send(app, "operator", "/backups/nonsense/verify", { _csrf });
    expect(nonsense.statusCode).toBe(400);
  });

  test("for more than one's role is refused, though the page never shows it", async () => {
    const { app } = site();
    const viewer = await send(app, "viewer", "/databases/shop/backup", { _csrf: await csrfOf(app, "viewer") });
    expect(viewer.statusCode).toBe(403);
    const _csrf = await csrfOf(app, "operator");
    const operator = await send(app, "operator", "/tiers/local/cleanup", { _csrf, digest: "0".repeat(64) });
    expect(operator.statusCode).toBe(403);
  });

  test("of a cleanup that is another one by now deletes nothing, and shows the new plan", async () => {
    const { app, events } = site();
    const _csrf = await csrfOf(app, "admin");
    const answer = await send(app, "admin", "/tiers/local/cleanup", { _csrf, digest: "0".repeat(64) });
    expect(answer.statusCode).toBe(409);
    expect(answer.body).toMatch(
      /has changed since you saw it.*Cleanup of local|Cleanup of local.*has changed since you saw it/s,
    );
    expect(events.map(({ action }) => action)).not.toContain("backup.deleted");
  });
});

describe("a page", () => {
  test("that there is not is reported on a page, in the reader's language", async () => {
    const { app } = site();
    const headers = { ...browserOf("viewer"), "accept-language": "fr" };
    for (const url of ["/databases/nothing", "/tiers/nothing", `/backups/${BACKUP}`, "/backups/nonsense"]) {
      const answer = await app.inject({ url, headers });
      expect([url, answer.statusCode]).toEqual([url, 404]);
      expect(answer.body).toMatch(/<html lang="fr">.*Cela n’existe pas/s);
    }
  });

  test("is compressed, never kept, and may run nothing but our own files", async () => {
    const { app } = site();
    const answer = await app.inject({ url: "/", headers: { ...browserOf("viewer"), "accept-encoding": "br" } });
    expect(answer.headers).toMatchObject({ "content-encoding": "br", "cache-control": "no-store" });
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(policy).not.toMatch(/unsafe|https?:/);
    const asset = /href="(\/assets\/[\w-]{12}\/app\.css)"/.exec(
      (await app.inject({ url: "/", headers: browserOf("viewer") })).body,
    )?.[1];
    const css = await app.inject({ url: asset ?? "" });
    expect(css.headers).toMatchObject({ "cache-control": "public, max-age=31536000, immutable" });
    expect(css.headers["content-type"]).toMatch(/^text\/css/);
  });

  test("says how an action ended only in words of ours", async () => {
    const { app } = site();
    const page = async (done: string) =>
      (await app.inject({ url: `/?done=${done}`, headers: browserOf("viewer") })).body;
    expect(await page("backup")).toMatch(/The backup was asked for/);
    expect(await page("constructor")).not.toMatch(/notice ok/);
    expect(await page("<b>hello")).not.toMatch(/hello/);
  });
});

test("each action of the audit log has its words", () => {
  for (const { auditAction } of Object.values(TEXTS)) {
    expect(Object.keys(auditAction).toSorted()).toEqual([...AUDIT_ACTIONS].toSorted());
  }
});
