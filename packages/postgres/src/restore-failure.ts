import { TrivaultError } from "@trivault/core";
import { type Outcome, statusOf } from "./child.ts";
import { type Connection, describeConnection } from "./connection-url.ts";
import { HOW_TO_ALLOW, NOT_ALLOWED } from "./protection.ts";
import type { Tools } from "./tools.ts";

type Kind = "archive" | "sql";

/** Why a restore by that program failed, and what to do next. */
export function restoreFailure(outcome: Outcome, connection: Connection, tools: Tools, kind: Kind): TrivaultError {
  const said = outcome.stderr === "" ? "It said nothing." : `It said: ${outcome.stderr}`;
  const next = ADVICE.find(([pattern]) => pattern.test(outcome.stderr))?.[1](tools, kind) ?? "";
  const text = `The restore into ${describeConnection(connection)} failed: ${outcome.name} ${statusOf(outcome)}. ${said}`;
  return new TrivaultError("RESTORE_FAILED", next === "" ? text : `${text} — ${next}`);
}

/** By the messages of pg_restore, psql and the server. */
const ADVICE: readonly (readonly [pattern: RegExp, next: (tools: Tools, kind: Kind) => string])[] = [
  [
    /unsupported version \([\d.]+\) in file header/i,
    ({ pgRestore: { version } }) =>
      `The archive was made by a pg_dump newer than this pg_restore (${version}): install PostgreSQL client programs at least as new as those that made the backup.`,
  ],
  [
    /invalid command \\restrict/,
    ({ psql: { version } }) =>
      `This psql (${version}) cannot be kept from obeying commands in a dump: update PostgreSQL's client programs to 13.22, 14.19, 15.14, 16.10, 17.6 or later.`,
  ],
  [
    /unrecognized configuration parameter/i,
    ({ pgRestore: { version } }, kind) =>
      kind === "sql"
        ? "The dump was made for a newer PostgreSQL than this server: restore into that version or a later one."
        : `This pg_restore (${version}) is newer than the server: use the client programs of the server's own major version (BACKUP_PG_BIN_DIR).`,
  ],
  [
    /out of shared memory|max_locks_per_transaction/i,
    (_, kind) =>
      `So many objects do not fit one transaction here: ${kind === "sql" ? "" : "use --jobs 2, or "}raise max_locks_per_transaction.`,
  ],
  [
    /role ".{1,200}" does not exist/i,
    (_, kind) =>
      `Make the role on the target first${kind === "sql" ? "." : ", or restore without owners (--no-owner)."}`,
  ],
  [
    /extension ".{1,200}" is not available|could not open extension control file/i,
    () => "Install the extension's package on the target's server first.",
  ],
  [NOT_ALLOWED, () => HOW_TO_ALLOW],
  [/permission denied|must be (?:owner|superuser)/i, () => "Restore as a user who may do this, such as a superuser."],
  [/no space left on device/i, () => "Make room on the target's server or in the work folder."],
];
