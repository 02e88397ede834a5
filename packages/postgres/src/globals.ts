import { z } from "zod";

const text = z.string().regex(/^[^\0]*$/);
const name = text.min(1).max(255);
/** What PostgreSQL stores; anything else it would take for a password in clear. A pattern to PostgreSQL as well. */
export const PASSWORD_HASH =
  "^(SCRAM-SHA-256[$][0-9]{1,10}:[A-Za-z0-9+/=]{1,100}[$][A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}|md5[0-9a-f]{32})$";

/** Attributes that reach beyond one database. */
export const POWERS = ["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS"] as const;

const roleSchema = z.strictObject({
  name,
  login: z.boolean(),
  inherit: z.boolean(),
  /** Shown, and never granted: see globals-script.ts. */
  powers: z.array(z.enum(POWERS)),
  /** -1: any number. */
  connectionLimit: z.int().min(-1),
  /** In UTC, or `infinity`. */
  validUntil: text.max(60).nullable(),
  /** Null where the user who made the backup may not read it (only a superuser may), or where there is none. */
  password: z.string().regex(new RegExp(PASSWORD_HASH)).nullable(),
  comment: text.nullable(),
  /** `ALTER ROLE … SET`, for all databases. */
  settings: z.array(z.strictObject({ name, value: text })),
});

const membershipSchema = z.strictObject({
  role: name,
  member: name,
  admin: z.boolean(),
  /** PostgreSQL 16 and later; null before. */
  inherit: z.boolean().nullable(),
  set: z.boolean().nullable(),
});

/**
 * What a database needs of its server, and pg_dump leaves out (`globals.zst.age`): the roles that own or may use something
 * in it, their members, and the tablespaces. Data, out of which a restore builds its own statements.
 */
export const globalsSchema = z.strictObject({
  format: z.literal("trivault-globals"),
  version: z.literal(1),
  roles: z.array(roleSchema),
  memberships: z.array(membershipSchema),
  tablespaces: z.array(z.strictObject({ name, location: text.min(1) })),
});
export type Globals = z.infer<typeof globalsSchema>;
export type Role = Globals["roles"][number];
export type Membership = Globals["memberships"][number];

/** For backups that hold no data about their roles: names alone, which can do nothing but own and be granted to. */
export function namesOnly(roles: readonly string[]): Globals {
  const nothing = { login: false, inherit: true, powers: [], connectionLimit: -1, validUntil: null };
  const plain = { ...nothing, password: null, comment: null, settings: [] };
  return {
    format: "trivault-globals",
    version: 1,
    roles: roles.map((role) => ({ name: role, ...plain })),
    memberships: [],
    tablespaces: [],
  };
}
