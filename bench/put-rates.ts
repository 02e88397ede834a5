import { randomFillSync } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { backupKey, type Config, directoryOf, type Key, newBackupId, segmentName, sha256Hex } from "@trivault/core";
import { openTier, storeSource, type Tier } from "@trivault/storage";
import { runPipeline } from "./pipeline.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { emptyServerFolder, rcloneProgram, sftpProgram } from "./uploads.ts";

const OBJECTS = 32;
const OBJECT_BYTES = 16 * 1024 * 1024;
const DATABASE = "puts";
/** As many as the copy stage has. */
const IN_FLIGHT = 3;

/** MB (1,000,000 bytes) a second. */
export interface PutRates {
  readonly sftpStore: number;
  readonly sftpProgram: number;
  readonly s3Store: number;
  readonly rclone: number;
}

/** Objects on the local disk, as incompressible as sealed segments are. */
export interface PutObjects extends AsyncDisposable {
  readonly folder: string;
  readonly files: readonly string[];
  readonly local: Tier;
  readonly objects: readonly { readonly key: Key; readonly size: number; readonly sha256: string }[];
}

export async function makePutObjects(source: Source): Promise<PutObjects> {
  const root = path.join(source.folder, "puts");
  const backupId = newBackupId();
  const folder = path.join(root, directoryOf(DATABASE), backupId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const bytes = Buffer.alloc(OBJECT_BYTES);
  const objects = [];
  const files = [];
  for (let number = 1; number <= OBJECTS; number++) {
    const name = segmentName("data", number, true);
    randomFillSync(bytes);
    await writeFile(path.join(folder, name), bytes);
    files.push(path.join(folder, name));
    objects.push({ key: backupKey(DATABASE, backupId, name), size: bytes.length, sha256: sha256Hex(bytes) });
  }
  const local = openTier({
    name: "local",
    kind: "local",
    budget: null,
    origin: "environment",
    prices: {},
    directory: root,
  });
  const remove = async () => {
    await local.store.close();
    await rm(root, { recursive: true, force: true });
  };
  return { folder, files, local, objects, [Symbol.asyncDispose]: remove };
}

/** The same objects to the same servers: by our stores, which verify what they put, and by the usual programs. */
export async function measurePuts(
  source: Source,
  targets: Targets,
  config: Config,
  puts: PutObjects,
): Promise<PutRates> {
  const byStore = async (kind: "sftp" | "s3") => {
    const tier = config.tiers.find((each) => each.kind === kind);
    if (!tier) throw new RangeError(`no ${kind} tier`);
    return rate(await putAll(openTier(tier), puts));
  };
  const sftpStore = await byStore("sftp");
  const sftp = await runPipeline([await sftpProgram(targets, source.folder, puts.files)]);
  await emptyServerFolder(targets, puts.files);
  const s3Store = await byStore("s3");
  const rclone = await runPipeline([await rcloneProgram(targets, source.folder, ["copy", puts.folder])]);
  await runPipeline([await rcloneProgram(targets, source.folder, ["purge"])]);
  return { sftpStore, sftpProgram: rate(sftp.seconds), s3Store, rclone: rate(rclone.seconds) };
}

async function putAll({ store }: Tier, { local, objects }: PutObjects): Promise<number> {
  const waiting = [...objects];
  const begun = performance.now();
  const putNext = async (): Promise<void> => {
    for (let object = waiting.shift(); object; object = waiting.shift()) {
      const bytes = storeSource(local.store, object.key, object);
      if ((await store.put(object.key, bytes)) !== "stored") throw new Error(`${object.key} was there already`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, putNext));
  const seconds = (performance.now() - begun) / 1000;
  for (const { key } of objects) await store.delete(key);
  await store.close();
  return seconds;
}

function rate(seconds: number): number {
  return (OBJECTS * OBJECT_BYTES) / 1e6 / seconds;
}
