import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AuditEvent, AuditLog } from "@trivault/audit";
import { type BackupRef, copyStage, type NextStage, type StageContext } from "@trivault/backup";
import {
  backupKey,
  type Config,
  encodeManifest,
  MANIFEST,
  newBackupId,
  resolveConfig,
  sha256Hex,
  silentLogger,
} from "@trivault/core";
import { createSealer, loadOrCreateSigningKey, signManifest, type SigningKey } from "@trivault/crypto";
import { bytesSource, localStore, memoryStore, type Store, type Tier } from "@trivault/storage";
import { recordRepair } from "../src/repair/repair.ts";
import type { MaintenanceSite } from "../src/maintenance-site.ts";

/** A site with a real local tier and two tiers in memory; what it records, notes and starts is kept for looking at. */
export interface FakeSite extends AsyncDisposable {
  readonly site: MaintenanceSite;
  readonly config: Config;
  readonly signingKey: SigningKey;
  readonly events: AuditEvent[];
  readonly notes: string[];
  readonly started: NextStage[];
  readonly context: StageContext;
  /** What was recorded, as the audit log is read. */
  readonly history: Pick<AuditLog, "query">;
  tier(name: string): Tier;
  /** The same site, with stores that another function makes of the real ones. */
  with(wrap: (store: Store, name: string) => Store): MaintenanceSite;
  /** Carries out the copies that were started, as workers would. */
  work(): Promise<void>;
}

/** A test may set the time. */
export interface FakeClock {
  now: Date | null;
}

export async function fakeSite(
  options: { change?: (config: Config) => Config; clock?: FakeClock } = {},
): Promise<FakeSite> {
  const folder = await mkdtemp(path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tv-maintenance-"));
  const { change = (same: Config) => same, clock = { now: null } } = options;
  const config = change(
    resolveConfig(
      {
        DATABASE_URL: "postgresql://nobody@localhost/shop",
        BACKUP_DIR: path.join(folder, "backups"),
        BACKUP_SPOOL_DIR: path.join(folder, "spool"),
        BACKUP_ENCRYPTION: "none",
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
    ),
  );
  await mkdir(config.backupDir, { recursive: true });
  const signingKey = await loadOrCreateSigningKey(config.signingKeyFile);
  const sealer = createSealer({ recipients: null, segmentSize: config.segmentSize });
  const tiers: [Tier, ...Tier[]] = [
    { name: "local", kind: "local", store: localStore({ directory: config.backupDir }) },
    { name: "remote", kind: "sftp", store: memoryStore("remote") },
    { name: "cloud", kind: "s3", store: memoryStore("cloud") },
  ];
  const events: AuditEvent[] = [];
  const notes: string[] = [];
  const started: NextStage[] = [];
  const site: MaintenanceSite = {
    config,
    tiers,
    sealer: () => sealer,
    signingKey: async () => signingKey,
    now: () => clock.now ?? new Date(),
    record: async (event) => void events.push(event),
  };
  const context: StageContext = {
    signal: AbortSignal.timeout(60_000),
    log: silentLogger(),
    note: (line) => void notes.push(line),
    progress: () => undefined,
    start: async (next) => void started.push(next),
  };
  return {
    site,
    config,
    signingKey,
    events,
    history: {
      async *query({ backupId, tier, outcome, action = [] }) {
        for (const [index, event] of [...events.entries()].toReversed()) {
          const same = event.backupId === backupId && event.tier === tier && event.outcome === outcome;
          const rest = { seq: index + 1, at: new Date(), host: "here", pid: process.pid };
          if (same && [action].flat().includes(event.action)) yield { ...event, ...rest };
        }
      },
    },
    notes,
    started,
    context,
    tier: (name) => tiers.find((tier) => tier.name === name) ?? tiers[0],
    with: (wrap) => {
      const [local, ...others] = tiers.map((tier) => ({ ...tier, store: wrap(tier.store, tier.name) }));
      return { ...site, tiers: [local as Tier, ...others] };
    },
    async work() {
      for (const next of started.splice(0)) {
        if (next.stage === "copy") await recordRepair(site.record, await copyStage(site, next, context));
      }
    },
    async [Symbol.asyncDispose]() {
      await sealer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Distinct ids, hours apart, the newest of them `hoursAgo` old. */
export function idsOf(count: number, hoursAgo = 1): string[] {
  return Array.from({ length: count }, (_, i) =>
    newBackupId(new Date(Date.now() - (hoursAgo + count - 1 - i) * 3_600_000)),
  );
}

/** Puts a whole, signed copy of a small backup on each of the tiers; its bytes follow from its id. */
export async function putBackup(
  tiers: readonly Tier[],
  signingKey: SigningKey,
  { database, backupId }: BackupRef,
): Promise<void> {
  const segments = ["data-000001.zst", "data-000002.zst", "details.zst"].map((name) => {
    const bytes = Buffer.from(`${name} of ${backupId} `.repeat(20));
    const sha256 = sha256Hex(bytes);
    return { bytes, segment: { name, size: bytes.length, sha256, plainSize: bytes.length, plainSha256: sha256 } };
  });
  const at = new Date().toISOString();
  const manifest = signManifest(
    {
      format: "trivault-backup",
      version: 1,
      id: backupId,
      database,
      startedAt: at,
      completedAt: at,
      tools: {},
      server: { version: "17.0", major: 17 },
      encryption: "none",
      recipients: [],
      segments: segments.map(({ segment }) => segment),
    },
    signingKey,
  );
  for (const { store } of tiers) {
    for (const { bytes, segment } of segments) {
      await store.put(backupKey(database, backupId, segment.name), bytesSource(bytes));
    }
    await store.put(backupKey(database, backupId, MANIFEST), bytesSource(encodeManifest(manifest)));
  }
}

/** Other bytes under a key, as rot or a mistake leaves them. */
export async function spoil({ store }: Tier, ref: BackupRef, file: string, bytes: Uint8Array): Promise<void> {
  const key = backupKey(ref.database, ref.backupId, file);
  await store.delete(key);
  await store.put(key, bytesSource(bytes));
}

/** Removes all that a tier holds, as somebody would by hand. */
export async function wipe({ store }: Tier): Promise<void> {
  for (const { key } of await Array.fromAsync(store.list(""))) await store.delete(key);
}
