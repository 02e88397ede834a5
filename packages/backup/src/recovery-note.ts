import { codeOf, RECOVERY_KEY, sha256Hex } from "@trivault/core";
import { bytesSource, readAll, type Tier } from "@trivault/storage";

const MAX_NOTE = 64 * 1024;
const NOTE = `# How to restore these backups without Trivault

Each folder \`<database>/<backup id>/\` that holds a \`manifest.json\` is one complete backup; one without it is not.
The backup id begins with the time, in UTC. You need: this folder, your age identity (the secret key, AGE-SECRET-KEY-1…),
and the programs age, zstd, pg_restore and psql. On Debian or Ubuntu:

    apt-get install age zstd postgresql-client

In the folder of the backup that you want:

1. Check that every file is whole. manifest.json lists each with its SHA-256; this compares them:

       awk -F'"' '$2=="name"{n=$4} $2=="sha256"{print $4 "  " n}' manifest.json | sha256sum --check

2. Make the archive: decrypt each segment, in the order of their numbers, and decompress the whole:

       set -o pipefail
       for f in data-*.zst.age; do age --decrypt -i identity.txt "$f" || break; done | zstd --decompress > archive.dump

   Backups made with BACKUP_ENCRYPTION=none have names that end in .zst: then it is

       cat data-*.zst | zstd --decompress > archive.dump

3. Where the server is new, make the roles first (what exists is left as it is, what is not done is reported):

       age --decrypt -i identity.txt globals.zst.age | zstd --decompress | psql -X -d postgres

   Where its first line does not begin with "-- trivault-globals", it is pg_dumpall's script, from a version of before:
   look at it first, as it changes roles that exist, too, and may make a superuser.

4. Restore into a new database; pg_restore must be at least as new as the pg_dump named in manifest.json:

       createdb restored
       pg_restore --exit-on-error --single-transaction --dbname=restored archive.dump

   Without the roles of step 3, add --no-owner --no-privileges.

   Where manifest.json says "content": "sql", archive.dump is a plain SQL script (a dump of old that was adopted), and
   psql takes the place of pg_restore. Look at it first: psql obeys what it holds, lines that begin with a backslash
   included. One that holds CREATE DATABASE makes its own database, and goes there: then say --dbname=postgres.

       createdb restored
       psql -X --set=ON_ERROR_STOP=1 --dbname=restored --file=archive.dump

5. Look at the row counts that were true when the backup was made, and compare:

       age --decrypt -i identity.txt details.zst.age | zstd --decompress

6. archive.dump is your data in clear: delete it when you are done.
`;

/** Our own texts of before, by their SHA-256: each said less than the one above. */
const FORMER = new Set([
  "1f3c654560356abfddea13c968b13b19d53c6205bb561e31dac1fd9fc4bf325b",
  "2f8fe01b541052340f5e2d3d5aec47996d0cdd65b425dbc2f1c286b943217c43",
]);

/** What a tier has there. `foreign`: a text that is none of ours; its SHA-256, or what is said instead where it is too long. */
export type FoundNote =
  | { readonly is: "ours" | "former" | "missing" }
  | { readonly is: "foreign"; readonly sha256: string };

export async function readRecoveryNote(tier: Tier, signal: AbortSignal): Promise<FoundNote> {
  const found = await tier.store.stat(RECOVERY_KEY, { signal });
  if (found === null) return { is: "missing" };
  if (found.size > MAX_NOTE) return { is: "foreign", sha256: `none: it is ${found.size} bytes long` };
  const bytes = await readAll(tier.store.get(RECOVERY_KEY, { signal }), MAX_NOTE, RECOVERY_KEY);
  if (bytes.equals(Buffer.from(NOTE))) return { is: "ours" };
  const sha256 = sha256Hex(bytes);
  return FORMER.has(sha256) ? { is: "former" } : { is: "foreign", sha256 };
}

/** Puts our text there, in the place of any other. */
export async function putRecoveryNote(tier: Tier, signal: AbortSignal): Promise<void> {
  await tier.store.replace(RECOVERY_KEY, bytesSource(Buffer.from(NOTE)), { signal });
}

/**
 * Puts RECOVERY.md where it is missing, and in the place of a former text of ours. A foreign one is left to maintenance,
 * which records it; so is whatever a tier does not let us replace.
 */
export async function ensureRecoveryNote(tier: Tier, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(NOTE);
  const there = await tier.store.stat(RECOVERY_KEY, { signal });
  if (there?.size === bytes.length) return;
  try {
    const found = there === null ? null : await readRecoveryNote(tier, signal);
    if (found === null) await tier.store.put(RECOVERY_KEY, bytesSource(bytes), { signal });
    else if (found.is !== "ours" && found.is !== "foreign") await putRecoveryNote(tier, signal);
  } catch (error) {
    const stays = codeOf(error) === "EXISTS" || (there !== null && codeOf(error) === "STORE_REFUSED");
    if (!stays) throw error;
  }
}
