import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Config, newBackupId, resolveConfig, silentLogger } from "@trivault/core";
import { createOpener, createSealer, generateKeys, loadOrCreateSigningKey } from "@trivault/crypto";
import { localStore, memoryStore, readAll, type Store, type Tier } from "@trivault/storage";
import { acquireLease, type Lease } from "../src/lease.ts";
import { createRun, markDumped, type RunDirectory, runDirectory } from "../src/run-directory.ts";
import type { BackupRef, NextStage, Site, StageContext } from "../src/site.ts";
import type { Trust } from "../src/trust.ts";
import { readManifest } from "../src/copies.ts";
import { dataSegments, backupKey } from "@trivault/core";

/** A site with a real local tier and sealer, and two tiers in memory; its database is a spool that the test fills. */
export interface FakeSite extends AsyncDisposable {
  readonly site: Site;
  readonly config: Config;
  readonly trust: Trust;
  readonly started: NextStage[];
  readonly notes: string[];
  context(signal?: AbortSignal): StageContext;
  /** What a restore would hand to zstd: every data segment of a copy, opened and in order. */
  contentOf(tier: Tier, ref: BackupRef): Promise<Buffer>;
  /** The same site as another process has it, with stores that a function makes of the real ones: to break them. */
  with(wrap: (store: Store) => Store): Site;
}

export const SEGMENT = 64 * 1024;
/** Hundreds of small segments are synced here; on a busy disk that takes minutes. */
const MEMORY = "/dev/shm";

export async function fakeSite(databaseUrl = "postgresql://nobody@localhost/shop"): Promise<FakeSite> {
  const folder = await mkdtemp(path.join(existsSync(MEMORY) ? MEMORY : tmpdir(), "stages-"));
  const keys = await generateKeys();
  const config = resolveConfig(
    {
      DATABASE_URL: databaseUrl,
      BACKUP_DIR: path.join(folder, "backups"),
      BACKUP_SPOOL_DIR: path.join(folder, "spool"),
      BACKUP_SEGMENT_SIZE: "64KiB",
      BACKUP_ENCRYPTION_RECIPIENTS: keys.recipient,
      WORKER_TAKEOVER_SECONDS: "5",
      // Never connected to: the tiers of these names are stores in memory.
      BACKUP_REMOTE_SERVER: "127.0.0.1:1",
      BACKUP_REMOTE_DIR: "/srv/backups",
      BACKUP_SSH_USER: "nobody",
      BACKUP_SSH_KEY: path.join(folder, "no-key"),
      BACKUP_SSH_HOST_KEY: `SHA256:${"A".repeat(43)}`,
      BACKUP_S3_BUCKET: "bucket",
    },
    "backup",
  );
  await mkdir(config.backupDir, { recursive: true });
  const signingKey = await loadOrCreateSigningKey(config.signingKeyFile);
  const sealer = createSealer({ recipients: [keys.recipient], segmentSize: SEGMENT });
  /** A worker that is stopped keeps its sealer's memory. */
  const others = createSealer({ recipients: [keys.recipient], segmentSize: SEGMENT });
  const tiers: [Tier, ...Tier[]] = [
    { name: "local", kind: "local", store: localStore({ directory: config.backupDir }) },
    { name: "remote", kind: "sftp", store: memoryStore("remote") },
    { name: "cloud", kind: "s3", store: memoryStore("cloud") },
  ];
  const opener = createOpener([keys.identity]); // one for all: each starts a thread
  const started: NextStage[] = [];
  const notes: string[] = [];
  const site: Site = { config, tiers, sealer: () => sealer, signingKey: async () => signingKey, now: () => new Date() };
  return {
    site,
    config,
    trust: { identities: [keys.identity], trustedKeys: [signingKey.publicKey] },
    started,
    notes,
    context: (signal = AbortSignal.timeout(200_000)) => ({
      signal,
      log: silentLogger(),
      note: (line) => void notes.push(line),
      progress: () => undefined,
      start: async (next) => void started.push(next),
    }),
    async contentOf(tier, ref) {
      const stored = await readManifest(tier, ref);
      if (!stored) throw new Error(`${tier.name} has no complete copy of ${ref.backupId}`);
      const plain: Uint8Array[] = [];
      for (const segment of dataSegments(stored.signed.manifest)) {
        const key = backupKey(ref.database, ref.backupId, segment.name);
        const cipher = await readAll(tier.store.get(key), segment.size);
        plain.push(Buffer.from(await opener.open(Uint8Array.from(cipher), segment)));
      }
      return Buffer.concat(plain);
    },
    with: (wrap) => {
      const [local, ...rest] = tiers.map((tier) => ({ ...tier, store: wrap(tier.store) }));
      return { ...site, tiers: [local as Tier, ...rest], sealer: () => others };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sealer.close(), others.close(), opener.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Plays the dump: writes parts into the spool as `split` does, and holds the lease. */
export interface FakeDump {
  readonly ref: BackupRef;
  readonly run: RunDirectory;
  readonly lease: Lease;
  write(part: number, bytes: Uint8Array): Promise<void>;
  /** All of `content` in parts, then `dumped.json`. */
  finish(content: Uint8Array): Promise<void>;
  complete(parts: number, lastPartSize: number): Promise<void>;
}

export async function beginDump({ config }: FakeSite): Promise<FakeDump> {
  const ref = { database: "shop", backupId: newBackupId() };
  const run = runDirectory(config, ref.backupId);
  await createRun(run, ref.database);
  const lease = await acquireLease(run.dumpLease, {
    takeoverMs: 5000,
    signal: AbortSignal.timeout(200_000),
    onLost: () => undefined, // runs are swept under it on purpose
  });
  const write = (part: number, bytes: Uint8Array) =>
    writeFile(path.join(run.spool, `part-${String(part).padStart(6, "0")}`), bytes);
  const complete = async (parts: number, lastPartSize: number) => {
    await writeFile(path.join(run.spool, "details.zst"), "details");
    await markDumped(run, {
      parts,
      lastPartSize,
      startedAt: new Date().toISOString(),
      tools: { pg_dump: "17.0" },
      server: { version: "17.0", major: 17 },
      extras: ["details.zst"],
    });
  };
  return {
    ref,
    run,
    lease,
    write,
    complete,
    async finish(content) {
      const parts = Math.ceil(content.length / SEGMENT);
      for (let part = 0; part < parts; part++)
        await write(part, content.subarray(part * SEGMENT, (part + 1) * SEGMENT));
      await complete(parts, content.length - (parts - 1) * SEGMENT);
      await lease.release();
    },
  };
}

/** Repeatable bytes that no two segments share. */
export function sampleContent(bytes: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) =>
    createHash("sha256").update(String(i)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** `create` of a store that has it, with something around it. */
export function createdBy(
  { create }: Store,
  around: (create: () => Promise<void>) => Promise<void>,
  afterWriting: () => Promise<void> = async () => undefined,
): Pick<Store, "create"> {
  if (!create) return {};
  return {
    create: (key, write, options) => {
      const written = async (file: number) => {
        await write(file);
        await afterWriting();
      };
      return around(() => create(key, written, options));
    },
  };
}

/** A store whose n-th call of a kind that changes something dies as a killed process does: before it, or after it. */
export function dyingStores(
  n: number,
  when: "before" | "after",
): { wrap: (store: Store) => Store; died: () => boolean } {
  let calls = 0;
  const dying = async <T>(work: () => Promise<T>): Promise<T> => {
    const fatal = ++calls === n;
    if (fatal && when === "before") throw new Error("killed");
    const result = await work();
    if (fatal) throw new Error("killed");
    return result;
  };
  return {
    died: () => calls >= n,
    wrap: (store) => ({
      ...store,
      put: (...args) => dying(() => store.put(...args)),
      ...createdBy(store, (create) => dying(create)),
      replace: (...args) => dying(() => store.replace(...args)),
      delete: (...args) => dying(() => store.delete(...args)),
      stat: (...args) => dying(() => store.stat(...args)),
    }),
  };
}
