import { codeOf, RECOVERY_KEY } from "@trivault/core";
import { bytesSource, type Tier } from "@trivault/storage";

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

3. Where the server is new, make the roles first (errors about roles that exist do no harm):

       age --decrypt -i identity.txt globals.zst.age | zstd --decompress | psql -X -d postgres

4. Restore into a new database; pg_restore must be at least as new as the pg_dump named in manifest.json:

       createdb restored
       pg_restore --exit-on-error --single-transaction --dbname=restored archive.dump

   Without the roles of step 3, add --no-owner --no-privileges.

5. Look at the row counts that were true when the backup was made, and compare:

       age --decrypt -i identity.txt details.zst.age | zstd --decompress

6. archive.dump is your data in clear: delete it when you are done.
`;

/** Puts RECOVERY.md where it is missing. One that is there already stays, even one of an older version. */
export async function ensureRecoveryNote(tier: Tier, signal: AbortSignal): Promise<void> {
  if ((await tier.store.stat(RECOVERY_KEY, { signal })) !== null) return;
  try {
    await tier.store.put(RECOVERY_KEY, bytesSource(Buffer.from(NOTE)), { signal });
  } catch (error) {
    if (codeOf(error) !== "EXISTS") throw error;
  }
}
