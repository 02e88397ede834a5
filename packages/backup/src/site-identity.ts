import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import {
  codeOf,
  type Config,
  ensureFolder,
  guardFolder,
  messageOf,
  newSiteId,
  readJson,
  TrivaultError,
} from "@trivault/core";
import { z } from "zod";

/**
 * Who a site is, in `BACKUP_DIR/.trivault/site.json`. Where it is missing, or lies elsewhere than it says, that is a question to
 * a person and never a new beginning (require-site.ts).
 *
 * `place` distinguishes a folder from its copy: the inode of this file, and when it was made, which no `rsync`, `cp` or restore takes
 * along, while reboots, other mount points and any number of containers on one volume leave them as they are. `path` and `host`
 * are asked where a file system makes up new inodes with each mount.
 */
const siteSchema = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-hjkmnp-tv-z]{16}$/),
  createdAt: z.iso.datetime(),
  /** Its public signing key, when it was last looked at. */
  signingKey: z.string(),
  place: z.string(),
  path: z.string(),
  hosts: z.array(z.string()),
});
export type SiteIdentity = Readonly<z.infer<typeof siteSchema>>;

type Place = Pick<Config, "backupDir">;

export function siteFile({ backupDir }: Place): string {
  return path.join(backupDir, ".trivault/site.json");
}

/** Containers have a new name with each start. */
const MOST_HOSTS = 20;

/** Null where there is none. Throws CORRUPT where it cannot be read, or is none of ours. */
export async function readSite(config: Place): Promise<SiteIdentity | null> {
  try {
    return await readJson(siteFile(config), siteSchema);
  } catch (cause) {
    throw new TrivaultError(
      "CORRUPT",
      `${siteFile(config)}, which says whose folder this is, cannot be read: ${messageOf(cause).slice(0, 200)}. Put it back as it was; or move it away and say \`npm run backup:site:recover\`.`,
      { permanent: true, cause },
    );
  }
}

/** Where processes begin a site at the same moment, the first wins; the identity in force is returned. */
export async function createSite(config: Place, signingKey: string, now: Date): Promise<SiteIdentity | null> {
  const id = newSiteId();
  const draft = await write(config, { version: 1, id, createdAt: now.toISOString(), signingKey });
  try {
    await link(draft, siteFile(config));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") await rename(draft, siteFile(config)); // a file system without links
  } finally {
    await rm(draft, { force: true });
  }
  return readSite(config);
}

/** From now on this folder, on this host, is the site's. */
export async function settleSite(
  config: Place,
  {
    id,
    createdAt,
    signingKey,
    hosts = [],
  }: Pick<SiteIdentity, "id" | "createdAt" | "signingKey"> & Partial<SiteIdentity>,
): Promise<void> {
  const draft = await write(config, { version: 1, id, createdAt, signingKey, hosts });
  await rename(draft, siteFile(config));
}

/** Nothing is read or made in BACKUP_DIR by this thread any more should site.json vanish from it, as it does with a disk. */
export function guardSite(config: Place): void {
  if (existsSync(siteFile(config))) guardFolder(config.backupDir, siteFile(config));
}

export interface Whereabouts {
  /** Whether this is the very file that was written, and no copy of it. */
  readonly original: boolean;
  readonly path: string;
  readonly host: string;
}

/** Where the site's file lies now. */
export async function whereabouts(config: Place, { place }: SiteIdentity): Promise<Whereabouts> {
  const [found, real, host] = await Promise.all([placeOf(siteFile(config)), realpath(config.backupDir), hostId()]);
  return {
    original: found.text === place || (found.timeless && found.inode === place.split(".")[0]),
    path: real,
    host,
  };
}

/** A host is known by its machine-id, which outlives a change of its name; a container without one by its name. */
async function hostId(): Promise<string> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return /^[0-9a-f]{32}\n?$/.test(id) ? `machine:${id.trim()}` : `name:${hostname()}`;
}

/** Written under a name of its own, with the inode that it keeps when it is renamed. */
async function write(
  config: Place,
  fields: Omit<SiteIdentity, "place" | "path" | "hosts"> & { readonly hosts?: readonly string[] },
): Promise<string> {
  const file = siteFile(config);
  await ensureFolder(path.dirname(file));
  const draft = `${file}.${randomUUID()}`;
  await using handle = await open(draft, "wx", 0o600);
  const host = await hostId();
  const hosts = [...new Set([...(fields.hosts ?? []), host])].slice(-MOST_HOSTS);
  const { text } = await placeOf(draft);
  const site: SiteIdentity = { ...fields, hosts, place: text, path: await realpath(config.backupDir) };
  await handle.writeFile(`${JSON.stringify(site)}\n`);
  await handle.sync();
  return draft;
}

/**
 * `timeless`: where a system has no time of birth, Node returns that of the last change instead. In the file as it stands
 * the two differ, since it got its name later.
 */
async function placeOf(file: string): Promise<{ text: string; inode: string; timeless: boolean }> {
  const { ino, birthtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return { text: `${ino}.${birthtimeNs}`, inode: String(ino), timeless: birthtimeNs === ctimeNs };
}
