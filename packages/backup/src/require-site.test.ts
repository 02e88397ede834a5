import { cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  backupKey,
  type Config,
  ensureFolder,
  MANIFEST,
  newBackupId,
  silentLogger,
  TrivaultError,
} from "@trivault/core";
import { bytesSource, localStore, type Store, type Tier } from "@trivault/storage";
import { beginDump, type FakeSite, fakeSite } from "../test/fake-dump.ts";
import { sampleManifest } from "../test/sample-manifest.ts";
import { requireSite, type SiteDeps } from "./require-site.ts";
import { beginNewSite, moveSite, recoverSite } from "./settle-site.ts";
import { readSite, siteFile } from "./site-identity.ts";

let fake: FakeSite;
beforeEach(async () => {
  fake = await fakeSite();
});
afterEach(async () => fake[Symbol.asyncDispose]());

/** The same tiers, seen by whoever has this folder for BACKUP_DIR. */
function at(folder: string, change: (tier: Tier) => Tier = (same) => same): SiteDeps {
  const backupDir = path.join(path.dirname(fake.config.backupDir), folder);
  const config: Config = { ...fake.config, backupDir, signingKeyFile: path.join(backupDir, ".trivault/signing.key") };
  const [, ...others] = fake.site.tiers;
  const local: Tier = { name: "local", kind: "local", store: localStore({ directory: backupDir }) };
  const signal = AbortSignal.timeout(30_000);
  return { config, tiers: [local, ...others.map(change)], now: () => new Date(), log: silentLogger(), signal };
}
const here = (change?: (tier: Tier) => Tier) => at("backups", change);
const folderOf = ({ config }: SiteDeps) => config.backupDir;
const marks = async () =>
  (await Promise.all(fake.site.tiers.map(({ store }) => Array.fromAsync(store.list("")))))
    .flat()
    .map(({ key }) => String(key))
    .filter((key) => key.startsWith("SITE-"));

/** As far as a start looks: a manifest of the site's key, on the local tier and another one. */
async function makeBackup(to: string) {
  const ref = { database: "shop", backupId: newBackupId() };
  const bytes = sampleManifest(ref, await fake.site.signingKey(), new Date().toISOString());
  for (const { name, store } of fake.site.tiers) {
    if (name !== "local" && name !== to) continue;
    await store.put(backupKey(ref.database, ref.backupId, MANIFEST), bytesSource(bytes));
  }
  return ref;
}

/** What stays behind when a disk is unmounted. */
async function unmount(deps: SiteDeps): Promise<string> {
  const aside = `${folderOf(deps)}.aside`;
  await rename(folderOf(deps), aside);
  await mkdir(folderOf(deps));
  return aside;
}
const mountAgain = async (deps: SiteDeps) => {
  await rm(folderOf(deps), { recursive: true });
  await rename(`${folderOf(deps)}.aside`, folderOf(deps));
};
const away = (tier: Tier): Tier => ({
  ...tier,
  store: {
    ...tier.store,
    list: () => {
      throw new TrivaultError("STORE_UNREACHABLE", "no route to it");
    },
  } satisfies Store,
});

describe("9.A8 a first start", () => {
  test("9.A8 asks nothing where all tiers are empty, and the tiers know the site from then on", async () => {
    const deps = at("fresh");
    await requireSite(deps);
    const site = await readSite(deps.config);
    expect(await marks()).toEqual([`SITE-${site?.id}.json`, `SITE-${site?.id}.json`]);
    await requireSite(deps);
    expect(await readSite(deps.config)).toEqual(site);
  });

  test("9.A8 of several processes at once is one site", async () => {
    await Promise.all(Array.from({ length: 8 }, () => requireSite(at("fresh"))));
    expect(new Set(await marks()).size).toBe(1);
  });

  test("9.A8 of a version before, whose backups its own key signed, asks nothing", async () => {
    await makeBackup("remote");
    await requireSite(here(away));
    expect(await readSite(fake.config)).not.toBeNull();
  });

  test("9.A8 with a tier that cannot be asked is not known to be one, unless somebody says so", async () => {
    const deps = at("fresh", away);
    await expect(requireSite(deps)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/remote could not be asked \(no route to it\).*backup:site:new/),
    });
    expect(await readdir(folderOf(deps)).catch(() => [])).toEqual([]);
    await beginNewSite(deps);
    await requireSite(deps);
  });
});

describe("9.A8 BACKUP_DIR is an empty mount point", () => {
  test("9.A8 nothing is begun or made there; mounted again, all goes on", async () => {
    await requireSite(here());
    await makeBackup("remote");
    await unmount(here());
    await expect(requireSite(here())).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(
        /holds no site, but the tiers remote, cloud are used by the site.*Mount it again.*backup:site:recover.*backup:site:new/,
      ),
    });
    expect(await readdir(folderOf(here()))).toEqual([]);
    await mountAgain(here());
    await requireSite(here());
  });

  test("9.A8 also where only backups of an older version show it", async () => {
    await makeBackup("remote");
    await unmount(here());
    await expect(requireSite(here())).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readdir(folderOf(here()))).toEqual([]);
  });

  test("9.A8 while a process runs: it reads nothing there, and makes nothing", async () => {
    await requireSite(here());
    const ref = await makeBackup("remote");
    await unmount(here());
    const gone = { code: "STORE_UNREACHABLE", message: expect.stringContaining("still mounted") };
    const [local] = fake.site.tiers;
    await expect(Array.fromAsync(local.store.list(""))).rejects.toMatchObject(gone);
    await expect(local.store.stat(backupKey(ref.database, ref.backupId, "manifest.json"))).rejects.toMatchObject(gone);
    const put = local.store.put(backupKey("shop", newBackupId(), "manifest.json"), bytesSource(Buffer.from("x")));
    await expect(put).rejects.toMatchObject(gone);
    await expect(beginDump(fake)).rejects.toMatchObject(gone);
    await expect(ensureFolder(path.join(fake.config.backupDir, ".trivault/alerts"))).rejects.toMatchObject(gone);
    expect(await readdir(folderOf(here()))).toEqual([]);
    await mountAgain(here());
    expect(await local.store.stat(backupKey(ref.database, ref.backupId, "manifest.json"))).not.toBeNull();
  });

  test("9.A8 lost for good: the site goes on once its key is there, or trusted", async () => {
    await requireSite(here());
    const site = await readSite(fake.config);
    const aside = await unmount(here());
    await expect(recoverSite(here(), null)).rejects.toMatchObject({ code: "UNTRUSTED" });
    await cp(path.join(aside, ".trivault/signing.key"), path.join(folderOf(here()), ".trivault/signing.key"));
    await recoverSite(here(), null);
    await requireSite(here());
    expect(await readSite(fake.config)).toMatchObject({ id: site?.id, signingKey: site?.signingKey });
  });

  test("9.A8 a site whose signing key is gone makes no new one", async () => {
    await requireSite(here());
    await rm(fake.config.signingKeyFile);
    await expect(requireSite(here())).rejects.toMatchObject({ message: expect.stringContaining("signing key") });
  });
});

describe("9.A8 a second site on the same tiers", () => {
  test("9.A8 is begun by somebody who says so", async () => {
    await requireSite(at("first"));
    await expect(requireSite(at("second"))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await beginNewSite(at("second"));
    await requireSite(at("second"));
    await requireSite(at("first"));
    expect(new Set(await marks()).size).toBe(2);
  });

  test("9.A8 a mark that nobody signed is a question as well", async () => {
    const key = `SITE-${"0".repeat(16)}.json`;
    await fake.site.tiers[1]?.store.put(key as never, bytesSource(Buffer.from("junk")));
    await expect(requireSite(at("fresh"))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("9.A8 a copied BACKUP_DIR", () => {
  const copied = async () => {
    await requireSite(here());
    await cp(folderOf(here()), folderOf(at("copy")), { recursive: true, preserveTimestamps: true });
    return at("copy");
  };

  test("9.A8 is refused; the original goes on", async () => {
    const copy = await copied();
    await expect(requireSite(copy)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/is a copy of .*backup:site:move.*backup:site:new/),
    });
    await requireSite(here());
  });

  test("9.A8 made a site of its own it has another id and key, and leaves alone what the original has in the making", async () => {
    const dump = await beginDump(fake);
    const copy = await copied();
    const before = await readSite(copy.config);
    await beginNewSite(copy);
    await requireSite(copy);
    const after = await readSite(copy.config);
    expect(after?.id).not.toBe(before?.id);
    expect(after?.signingKey).not.toBe(before?.signingKey);
    expect(await readdir(path.join(folderOf(copy), ".trivault"))).not.toContain("runs");
    await requireSite(here());
    await dump.lease.release();
  });

  test("9.A8 is the site, where that has moved", async () => {
    const copy = await copied();
    await moveSite(copy);
    await requireSite(copy);
    expect((await readSite(copy.config))?.id).toBe((await readSite(fake.config))?.id);
  });

  test("9.A8 a folder that was renamed, and one put back in its place, are no copies", async () => {
    await requireSite(here());
    await rename(folderOf(here()), folderOf(at("renamed")));
    await requireSite(at("renamed"));
    await cp(folderOf(at("renamed")), `${folderOf(at("renamed"))}.restored`, { recursive: true });
    await rm(folderOf(at("renamed")), { recursive: true });
    await rename(`${folderOf(at("renamed"))}.restored`, folderOf(at("renamed")));
    await requireSite(at("renamed"));
  });

  test("9.A8 another machine on the same volume is welcome while the site is at work, else asked", async () => {
    await requireSite(here());
    const site = await readSite(fake.config);
    const elsewhere = { ...site, hosts: [`machine:${"0".repeat(32)}`] };
    await writeFile(siteFile(fake.config), JSON.stringify(elsewhere)); // keeps its inode
    await expect(requireSite(here())).rejects.toMatchObject({ message: expect.stringContaining("another machine") });
    const beats = path.join(folderOf(here()), ".trivault/heartbeats");
    await mkdir(beats);
    await writeFile(path.join(beats, "db1.1.0.json"), "{}");
    await requireSite(here());
    expect((await readSite(fake.config))?.hosts).toHaveLength(2);
  });
});
