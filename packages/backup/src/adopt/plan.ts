import path from "node:path";
import { background, directoryOf, messageOf, shellWord, TrivaultError } from "@trivault/core";
import { checkArchive, newestTools, readArchiveHeader, type Server, type Tools } from "@trivault/postgres";
import type { BackupRef, Site } from "../site.ts";
import { adoptedAs, type Dump } from "./claims.ts";
import { findFiles, type FoundFile } from "./find-files.ts";
import { databaseOfScript, nameDatabase, type Named } from "./name-database.ts";
import { type Compression, decompressed, type DumpFormat, recognise } from "./recognise.ts";
import { hashFile, type Identity, identityOf, isStill, wholeScript } from "./whole-file.ts";

/** A file changed so lately may still be being written. */
const SETTLED_MS = 60_000;

/** A plaintext dump that was read from end to end and found whole. */
export interface Adoptable extends Dump {
  readonly size: number;
  readonly format: DumpFormat;
  readonly compression: Compression;
  /** Where the name of the database comes from. */
  readonly databaseFrom: Named["from"];
  readonly timeFrom: "archive" | "file";
  readonly server: Server;
  readonly pgDump: string;
  readonly identity: Identity;
  /** The backup that this content is already: of an adoption that kept the file, or was cut short before removing it. */
  readonly adoptedAs: BackupRef | null;
}

export interface LeftAlone {
  readonly file: string;
  readonly reason: string;
}

export interface AdoptionPlan {
  readonly adoptable: readonly Adoptable[];
  /** Backups in plaintext that cannot be adopted: something is to be done about them. */
  readonly refused: readonly LeftAlone[];
  /** Whatever else lies there. */
  readonly skipped: readonly LeftAlone[];
}

export interface PlanOptions {
  /** Which database all of them are of; otherwise each dump or its name says so. */
  readonly database?: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: { file: string; bytes: number; totalBytes: number }) => void;
}

/** Looks at everything in BACKUP_DIR that is not ours, and reads each dump from end to end. Nothing is changed. */
export async function planAdoption(site: Site, options: PlanOptions): Promise<AdoptionPlan> {
  const { backupDir, spoolDir, pgBinDir } = site.config;
  const found = await findFiles(backupDir, [spoolDir]);
  const tools = await newestTools(pgBinDir);
  const adoptable: Adoptable[] = [];
  const skipped: LeftAlone[] = [];
  const refused: LeftAlone[] = found.unreadable.map(({ file, reason }) => ({
    file,
    reason: `cannot be read: ${reason}`,
  }));
  for (const file of found.dumpFolders) {
    const reason = `is a dump in pg_dump's directory format: \`pg_restore --file=${shellWord(`${file}.sql`)} ${shellWord(file)}\` makes plain SQL of it, which can be adopted; then delete the folder`;
    refused.push({ file, reason });
  }
  const totalBytes = found.files.reduce((sum, { size }) => sum + size, 0);
  let bytes = 0;
  for (const file of found.files) {
    options.signal.throwIfAborted();
    const progress = (read: number) => options.progress({ file: file.file, bytes: bytes + read, totalBytes });
    const verdict = await examine(site, file, tools, { ...options, onRead: progress });
    if ("sha256" in verdict) adoptable.push(verdict);
    else (verdict.is === "refused" ? refused : skipped).push({ file: file.file, reason: verdict.reason });
    bytes += file.size;
    progress(0);
  }
  return { adoptable, refused, skipped };
}

type Verdict = Adoptable | { readonly is: "refused" | "foreign"; readonly reason: string };
type ExamineOptions = Pick<PlanOptions, "database" | "signal"> & { readonly onRead: (bytes: number) => void };

async function examine(site: Site, found: FoundFile, tools: Tools, options: ExamineOptions): Promise<Verdict> {
  const file = path.join(site.config.backupDir, found.file);
  try {
    const recognised = await recognise(file);
    if (recognised.is !== "dump") return recognised;
    if (site.now().getTime() - found.modifiedAt.getTime() < SETTLED_MS) {
      return { is: "foreign", reason: "was changed less than a minute ago and may still be being written" };
    }
    const { format, compression } = recognised;
    const identity = await identityOf(file);
    const header = await readHeader(file, recognised, tools, options.signal);
    const named = nameOf(site, found.file, format, header, options.database);
    if (named === null) {
      return {
        is: "refused",
        reason: "names its database neither in its content nor in its name: say --database",
      };
    }
    directoryOf(named.database); // throws where it is no possible name
    const sha256 = await readWhole(file, recognised, tools, options);
    if (!(await isStill(file, identity)))
      return { is: "foreign", reason: "changed while it was read: it is being written" };
    return {
      file: found.file,
      size: found.size,
      format,
      compression,
      database: named.database,
      databaseFrom: named.from,
      ...timeOf(site, found, header.createdAt),
      server: { version: header.serverVersion.slice(0, 80), major: Number.parseInt(header.serverVersion, 10) },
      pgDump: header.pgDump.slice(0, 80),
      sha256,
      identity,
      adoptedAs: await adoptedAs(site, sha256),
    };
  } catch (error) {
    options.signal.throwIfAborted();
    return { is: "refused", reason: messageOf(error) };
  }
}

interface Header {
  readonly database: string | null;
  readonly createdAt: Date | null;
  readonly serverVersion: string;
  readonly pgDump: string;
}
type RecognisedDump = Extract<Awaited<ReturnType<typeof recognise>>, { is: "dump" }>;

async function readHeader(
  file: string,
  { format, compression, head }: RecognisedDump,
  tools: Tools,
  signal: AbortSignal,
): Promise<Header> {
  if (format !== "plain") {
    const { dumpVersion, ...header } = await readArchiveHeader(decompressed(file, compression), format, {
      tools,
      signal,
    });
    return { ...header, pgDump: dumpVersion };
  }
  const version = (what: string) => new RegExp(`^-- Dumped ${what} version (\\d.*?)\\r?$`, "m").exec(head)?.[1];
  const serverVersion = version("from database");
  const pgDump = version("by pg_dump");
  if (serverVersion === undefined || pgDump === undefined) {
    throw new TrivaultError(
      "CORRUPT",
      "Its header does not name the PostgreSQL versions that it was made by and from.",
    );
  }
  return { database: databaseOfScript(head), createdAt: null, serverVersion, pgDump };
}

function nameOf(site: Site, file: string, format: DumpFormat, { database }: Header, given?: string): Named | null {
  if (given !== undefined) return { database: given, from: "--database" };
  return nameDatabase(site.config, file, database, format === "plain" ? "script" : "archive");
}

/** Once for the hash of the file, and at the same time once as a restore would read it. */
async function readWhole(
  file: string,
  { format, compression }: RecognisedDump,
  tools: Tools,
  { signal, onRead }: ExamineOptions,
): Promise<string> {
  let bytes = 0;
  const hashing = background(hashFile(file, signal, (read) => onRead((bytes += read))));
  const content = decompressed(file, compression);
  const checking = background(
    format === "plain" ? drain(wholeScript(content)) : checkArchive(content, format, { tools, signal }),
  );
  const [hashed, checked] = await Promise.allSettled([hashing, checking]);
  if (checked.status === "rejected") throw checked.reason;
  if (hashed.status === "rejected") throw hashed.reason;
  return hashed.value;
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of chunks);
}

/** A time to come would make it the newest backup for long; an archive that names one was made by a clock gone wrong. */
function timeOf(site: Site, { modifiedAt }: FoundFile, createdAt: Date | null): Pick<Adoptable, "time" | "timeFrom"> {
  const now = site.now();
  if (createdAt !== null && createdAt <= now) return { time: createdAt, timeFrom: "archive" };
  return { time: modifiedAt <= now ? modifiedAt : now, timeFrom: "file" };
}
