import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readManifest, type RestoreRequest, restoreBackup } from "@trivault/backup";
import {
  backupKey,
  type Config,
  encodeManifest,
  MANIFEST,
  resolveConfig,
  type Segment,
  sha256Hex,
  silentLogger,
} from "@trivault/core";
import { createOpener, loadSigningKey, readIdentityFile, signManifest } from "@trivault/crypto";
import { digestDatabase, parseDatabaseUrl, type TableDigest } from "@trivault/postgres";
import { bytesSource, readAll, type Tier } from "@trivault/storage";
import { Client } from "pg";
import { sealBytes } from "../packages/crypto/test/seal-bytes.ts";
import { DATABASE, startSite, type TestSite } from "./support/site.ts";

/** Not the sample: what a dump may stumble over. */
const CONTENT = `
  CREATE ROLE shopkeeper;
  CREATE SCHEMA "Ünusual names";
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE "Ünusual names"."select ""from"" where" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, note text,
    twice bigint GENERATED ALWAYS AS (length(note) * 2) STORED);
  INSERT INTO "Ünusual names"."select ""from"" where" (m, note)
    SELECT 'happy', repeat(chr(8364), i % 50) || E'\\n\\t\\\\' || md5(i::text) FROM generate_series(1, 4000) i;
  CREATE TABLE readings (at timestamptz NOT NULL, value double precision, raw bytea, doc jsonb, tags text[])
    PARTITION BY RANGE (at);
  CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO readings SELECT '2025-06-01'::timestamptz + i * interval '10 minutes', 'NaN', decode(md5(i::text), 'hex'),
    jsonb_build_object('i', i, 'n', NULL), ARRAY['a', NULL, 'c"d'] FROM generate_series(1, 12000) i;
  CREATE VIEW latest AS SELECT max(at) FROM readings;
  ALTER TABLE readings OWNER TO shopkeeper;
  SELECT lo_from_bytea(0, decode(repeat('00ff', 5000), 'hex'));
  CREATE TABLE nothing ();
  ALTER DATABASE shop SET timezone = 'Asia/Tokyo';
  REVOKE CONNECT ON DATABASE shop FROM PUBLIC;
  ALTER DATABASE shop OWNER TO shopkeeper;
`;

let site: TestSite;
let backupId: string;
let source: TableDigest[];
beforeAll(async () => {
  site = await startSite({
    env: { BACKUP_SEGMENT_SIZE: "128KiB" },
    async fill(url) {
      const client = new Client({ connectionString: url });
      await client.connect();
      await client.query(CONTENT);
      await client.end();
    },
  });
  const worker = await site.startWorker();
  source = await digestDatabase(parseDatabaseUrl(site.postgres.urlOf(DATABASE)));
  const status = await site.settled(await site.request(), 60_000);
  expect(status.stages.map(({ state }) => state)).toEqual(["completed", "completed", "completed", "completed"]);
  backupId = status.backupId ?? "";
  await worker.kill("SIGTERM"); // its maintenance would mend what is damaged here
});
afterAll(async () => site?.[Symbol.asyncDispose]());

let count = 0;
async function restore(request: Partial<RestoreRequest> = {}, config: Config = site.config) {
  const target = `restored_${++count}`;
  const notes: string[] = [];
  const result = await restoreBackup(
    config,
    site.tiers,
    {
      database: DATABASE,
      backup: "latest",
      from: "any",
      targetUrl: site.postgres.urlOf(target),
      force: false,
      noOwner: false,
      globals: false,
      databaseProperties: false,
      jobs: 1,
      allowUnsigned: false,
      ...request,
    },
    {
      signal: AbortSignal.timeout(60_000),
      log: silentLogger(),
      note: (line) => void notes.push(line),
      progress: () => undefined,
    },
  );
  const digests = await digestDatabase(parseDatabaseUrl(site.postgres.urlOf(result.target)));
  return { result, digests };
}

async function databases(): Promise<string[]> {
  const client = new Client({ connectionString: site.postgres.url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database");
  await client.end();
  return rows.map(({ datname }) => datname);
}

function tier(name: string): Tier {
  const found = site.tiers.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no tier ${name}`);
  return found;
}

/** Changes an object where it lies, does something, and puts it back. */
async function withChanged(
  name: string,
  file: string,
  change: (bytes: Buffer) => Promise<Buffer> | Buffer,
  work: () => Promise<void>,
) {
  const { store } = tier(name);
  const key = backupKey(DATABASE, backupId, file);
  const before = await readAll(store.get(key), 1e9);
  const put = async (bytes: Buffer) => {
    await store.delete(key);
    await store.put(key, bytesSource(bytes));
  };
  await put(await change(Buffer.from(before)));
  try {
    await work();
  } finally {
    await put(before);
  }
}

/** Segments as they were listed before: with the hash of what each opens to. */
async function withPlainHashes(
  segments: readonly Segment[],
  read: (name: string) => Promise<Uint8Array>,
): Promise<Segment[]> {
  const opener = createOpener((await readIdentityFile(site.env.BACKUP_IDENTITY_FILE ?? "")).identities);
  const listed: Segment[] = [];
  for (const segment of segments) {
    const plain = await opener.open(new Uint8Array(await read(segment.name)), segment);
    listed.push({ ...segment, plainSha256: sha256Hex(plain) });
  }
  await opener.close();
  return listed;
}

const flip = (bytes: Buffer) => {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

describe("restore", () => {
  test.each(["local", "remote", "cloud", "any"])("from %s: every row is there again", async (from) => {
    const { result, digests } = await restore({ from });
    expect(digests).toEqual(source);
    expect(result).toMatchObject({ backupId, created: true, damage: [] });
    expect(Object.keys(result.segmentsFrom)).toEqual([from === "any" ? "local" : from]);
    expect(result.tablesCompared).toBe(4);
    expect(result.properties?.refused).toEqual([]);
    const [database] = await site.postgres.query(
      `SELECT pg_get_userbyid(datdba) AS owner, has_database_privilege('public', oid, 'CONNECT') AS anybody,
         (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = oid) AS settings
       FROM pg_database WHERE datname = '${result.target}'`,
    );
    expect(database).toEqual({ owner: "shopkeeper", anybody: false, settings: ["TimeZone=Asia/Tokyo"] });
  });

  test("into a database that was there: its own owner and settings stay, unless it is to be as the other was", async () => {
    for (const databaseProperties of [false, true]) {
      const name = `there_${databaseProperties}`;
      await site.postgres.createDatabase(name);
      const { result } = await restore({ targetUrl: site.postgres.urlOf(name), databaseProperties });
      expect(result).toMatchObject({ created: false, tablesCompared: 4 });
      const [database] = await site.postgres.query(
        `SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = '${name}'`,
      );
      expect(database).toEqual({ owner: databaseProperties ? "shopkeeper" : site.postgres.user });
    }
  });

  test("with several jobs", async () => {
    expect((await restore({ jobs: 3 })).digests).toEqual(source);
  });

  test("with the second recipient's identity, on a machine that has nothing else", async () => {
    const {
      BACKUP_REMOTE_SERVER,
      BACKUP_SSH_USER,
      BACKUP_SSH_KEY,
      BACKUP_SSH_KNOWN_HOSTS,
      BACKUP_REMOTE_DIR,
      BACKUP_IDENTITY_FILE,
    } = site.env;
    const escrow = BACKUP_IDENTITY_FILE?.replace("identity.txt", "escrow.txt");
    const elsewhere = path.join(path.dirname(escrow ?? ""), "elsewhere");
    const env = {
      BACKUP_DIR: elsewhere,
      BACKUP_REMOTE_SERVER,
      BACKUP_SSH_USER,
      BACKUP_SSH_KEY,
      BACKUP_SSH_KNOWN_HOSTS,
      BACKUP_REMOTE_DIR,
      BACKUP_IDENTITY_FILE: escrow,
    };
    expect((await restore({ from: "remote" }, resolveConfig(env, "read"))).digests).toEqual(source);
  });

  test("9.C16 an old backup, with a script of pg_dumpall: nothing of it is carried out, and that is reported", async () => {
    const script =
      "CREATE ROLE dba SUPERUSER LOGIN;\nALTER ROLE shopkeeper SUPERUSER;\n\\! touch /tmp/owned\nGRANT dba TO shopkeeper;\n";
    const plain = await promisify(zstdCompress)(`--\n-- PostgreSQL database cluster dump\n--\n${script}`);
    const { bytes, ...hashes } = await sealBytes(
      plain,
      site.config.encryption.mode === "age" ? site.config.encryption.recipients : [],
    );
    const stored = await readManifest(tier("local"), { database: DATABASE, backupId });
    const manifest = stored?.signed.manifest;
    if (manifest === undefined) throw new Error("it is there");
    const segments = await withPlainHashes(
      manifest.segments.map((each) => (each.name === "globals.zst.age" ? { name: each.name, ...hashes } : each)),
      async (name) =>
        name === "globals.zst.age" ? bytes : readAll(tier("local").store.get(backupKey(DATABASE, backupId, name)), 1e9),
    );
    const signed = signManifest({ ...manifest, segments }, await loadSigningKey(site.config.signingKeyFile));
    await withChanged(
      "local",
      "globals.zst.age",
      () => Buffer.from(bytes),
      () =>
        withChanged(
          "local",
          MANIFEST,
          () => Buffer.from(encodeManifest(signed)),
          async () => {
            const { result, digests } = await restore({ from: "local", globals: true });
            expect(digests).toEqual(source);
            expect(result.roles?.refused).toEqual([expect.stringContaining("is not carried out")]);
          },
        ),
    );
    const client = new Client({ connectionString: site.postgres.url });
    await client.connect();
    const { rows } = await client.query("SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY 1");
    await client.end();
    expect(rows).toEqual([{ rolname: "postgres" }]);
  });

  test("by hand, with the commands of the RECOVERY.md that lies on the remote server, and nothing of ours", async () => {
    const folder = path.join(site.remote.directory, DATABASE, backupId);
    const note = await readFile(path.join(site.remote.directory, "RECOVERY.md"), "utf8");
    const steps = note
      .split(/^(?=\d\. )/m)
      .slice(1)
      .map((step) => [...step.matchAll(/^ {7}(.*)$/gm)].map(([, line]) => line));
    expect(steps).toHaveLength(6);
    const [check = [], archive = [], roles = [], into = [], counts = []] = steps;
    await writeFile(path.join(folder, "identity.txt"), await readFile(site.env["BACKUP_IDENTITY_FILE"] ?? ""), {
      mode: 0o600,
    });
    const { host, port, user, password, binDir } = site.postgres;
    const env = {
      PATH: `${binDir}:${process.env["PATH"]}`,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
    };
    const bash = async (lines: readonly (string | undefined)[]) =>
      promisify(execFile)("bash", ["-e", "-c", lines.join("\n")], { cwd: folder, env, maxBuffer: 1e8 });
    expect((await bash(check)).stdout).toMatch(/^data-000001\.zst\.age: OK$/m);
    await bash(archive.slice(0, 2)); // the third line is for backups in plaintext
    await bash(roles);
    await bash(into.slice(0, 2)); // the others are for adopted SQL: adopt.real.test.ts
    expect(await digestDatabase(parseDatabaseUrl(site.postgres.urlOf("restored")))).toEqual(source);
    expect((await bash(counts)).stdout).toContain('"rows":4000');
  });
});

describe("damage", () => {
  test.each([
    ["flipped", flip],
    ["truncated", (bytes: Buffer) => bytes.subarray(0, -1)],
    ["longer", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("x")])],
    [
      "another segment",
      () => readAll(tier("remote").store.get(backupKey(DATABASE, backupId, "data-000001.zst.age")), 1e9),
    ],
  ])(
    "a segment that is %s: another tier has a good one; where there is none, nothing is restored",
    async (_, change) => {
      for (const name of ["local", "remote", "cloud"]) {
        await withChanged(name, "data-000002.zst.age", change, async () => {
          // The local copy is read first; what lies elsewhere is not read at all then.
          if (name === "local") {
            const { result, digests } = await restore();
            expect(digests).toEqual(source);
            expect(result.damage).toEqual([{ tier: "local", problem: expect.stringContaining("data-000002") }]);
          }
          const before = await databases();
          await expect(restore({ from: name })).rejects.toMatchObject({
            code: "CORRUPT",
            message: expect.stringContaining("data-000002"),
          });
          expect(await databases()).toEqual(before);
        });
      }
    },
  );

  test("a manifest changed by hand is refused, on whatever tier; another tier's is taken", async () => {
    const change = (bytes: Buffer) =>
      Buffer.from(
        bytes
          .toString()
          .replace('"major": 15', '"major": 14')
          .replace(/("completedAt": ")2/, "$13"),
      );
    for (const name of ["local", "remote", "cloud"]) {
      await withChanged(name, MANIFEST, change, async () => {
        await expect(restore({ from: name })).rejects.toMatchObject({ code: "UNTRUSTED" });
        await expect(restore({ from: name, backup: backupId, allowUnsigned: true })).rejects.toMatchObject({
          code: "UNTRUSTED",
        });
        expect((await restore()).digests).toEqual(source);
      });
    }
  });

  test("an unsigned manifest is refused, unless asked for", async () => {
    const stored = await readManifest(tier("local"), { database: DATABASE, backupId });
    const unsigned = () => Buffer.from(JSON.stringify({ manifest: stored?.signed.manifest }));
    await withChanged("local", MANIFEST, unsigned, async () => {
      await expect(restore({ from: "local" })).rejects.toMatchObject({
        code: "UNTRUSTED",
        message: expect.stringContaining("not signed"),
      });
      expect((await restore({ from: "local", backup: backupId, allowUnsigned: true })).digests).toEqual(source);
    });
  });

  test("the wrong identity: a clear refusal before the target is touched", async () => {
    const wrong = path.join(site.config.backupDir, "wrong.txt");
    const { generateKeys, writeIdentityFile } = await import("@trivault/crypto");
    await writeIdentityFile(wrong, await generateKeys(), null);
    const before = await databases();
    await expect(restore({}, { ...site.config, identityFile: wrong })).rejects.toMatchObject({
      code: "DECRYPT_FAILED",
      permanent: true,
    });
    expect(await databases()).toEqual(before);
  });
});
