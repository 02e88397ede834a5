import { writeFile } from "node:fs/promises";
import path from "node:path";
import {
  backupKey,
  type Config,
  encodeManifest,
  MANIFEST,
  resolveConfig,
  sha256Hex,
  silentLogger,
  timeOfBackupId,
} from "@trivault/core";
import { loadOrCreateSigningKey, signManifest } from "@trivault/crypto";
import { bytesSource, openTiers, type Tier } from "@trivault/storage";
import { makeTempDir } from "@trivault/testkit";
import { afterwards, appUnderTest, type AppUnderTest, TOKEN } from "./app-under-test.ts";

export interface ServedSite extends AppUnderTest {
  readonly url: string;
  readonly config: Config;
}

/**
 * The real app, listening, over real files: two tiers in folders, a signing key, an audit log. The database is not there, unless
 * settings name one. It ends with the test.
 */
export async function serveSite(
  redisUrl: string,
  settings: Readonly<Record<string, string>> = {},
  log = silentLogger(),
): Promise<ServedSite> {
  const folder = await makeTempDir("tv-api");
  const config = await siteConfig(folder.path, settings);
  const tiers = openTiers(config.tiers);
  const underTest = appUnderTest({ redisUrl, config, tiers, log, requestsPerMinute: 10_000_000 });
  afterwards(async () => {
    for (const tier of tiers) await tier.store.close();
    await folder.remove();
  });
  const url = await underTest.app.listen({ host: "127.0.0.1", port: 0 });
  return { ...underTest, url, config };
}

async function siteConfig(folder: string, settings: Readonly<Record<string, string>>): Promise<Config> {
  const file = path.join(folder, "trivault.config.yaml");
  await writeFile(file, `tiers: { remote: { kind: local, directory: ${path.join(folder, "remote")} } }\n`, {
    mode: 0o600,
  });
  return resolveConfig(
    {
      BACKUP_CONFIG: file,
      DATABASE_URL: "postgresql://user:db-password@127.0.0.1:1/shop",
      BACKUP_ENCRYPTION: "none",
      BACKUP_DIR: path.join(folder, "backups"),
      BACKUP_SPOOL_DIR: path.join(folder, "spool"),
      BACKUP_API_TOKEN: TOKEN,
      ...settings,
    },
    "backup",
  );
}

/** A complete backup as a worker makes it, signed with the site's key; its segment is what it is. */
export async function putSigned(config: Config, tier: Tier | undefined, id: string, database = "shop"): Promise<void> {
  if (tier === undefined) throw new RangeError("no such tier");
  const bytes = Buffer.from(`segment of ${id}`);
  const sha256 = sha256Hex(bytes);
  const size = bytes.length;
  const name = "data-000001.zst";
  const startedAt = timeOfBackupId(id).toISOString();
  const key = await loadOrCreateSigningKey(config.signingKeyFile);
  const signed = signManifest(
    {
      format: "trivault-backup",
      version: 1,
      id,
      database,
      startedAt,
      completedAt: startedAt,
      tools: { pg_dump: "17.2" },
      server: { version: "17.2", major: 17 },
      encryption: "none",
      recipients: [],
      segments: [{ name, size, sha256, plainSize: size, plainSha256: sha256 }],
    },
    key,
  );
  await tier.store.put(backupKey(database, id, name), bytesSource(bytes));
  await tier.store.put(backupKey(database, id, MANIFEST), bytesSource(encodeManifest(signed)));
}
