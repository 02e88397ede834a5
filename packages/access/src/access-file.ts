import { randomBytes } from "node:crypto";
import { codeOf, messageOf, publishJson, TrivaultError } from "@trivault/core";
import { z } from "zod";
import { withFileLock } from "./locked.ts";
import { readPrivateJson } from "./read-private.ts";
import { ROLES } from "./types.ts";

/**
 * The access file (0600): who may do what. Tokens and recovery codes stand in it as hashes only, passwords as scrypt's
 * output. It is believed as a whole or not at all: in a file of another form nobody is known.
 */
const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const base64url = (bytes: number) =>
  z.string().refine((text) => Buffer.from(text, "base64url").length === bytes && /^[\w-]+$/.test(text));

export const NAME_FORM = /^[a-z0-9][a-z0-9._@-]{0,62}$/;
const name = z.string().regex(NAME_FORM);
const role = z.enum(ROLES);
const made = { createdAt: time, createdBy: z.string().max(200) };

const token = z.strictObject({ name, role, hash: sha256, ...made, expiresAt: time.nullable() });

/** Bounded, so that a file cannot make a login eat all memory. */
export const passwordHash = z.strictObject({
  cost: z
    .int()
    .min(2)
    .max(2 ** 18),
  blockSize: z.int().min(1).max(16),
  parallelization: z.int().min(1).max(16),
  salt: base64url(16),
  hash: base64url(32),
});

const user = z.strictObject({
  name,
  role,
  password: passwordHash,
  /** In base32, as authenticator apps take it. */
  totpSecret: z.string().regex(/^[A-Z2-7]{32,64}$/),
  /** Those that were not used yet. */
  recoveryCodes: z.array(sha256).max(20),
  /** Another one whenever password, second factor or role are set: it ends all sessions from before. */
  epoch: base64url(12),
  ...made,
});

const unique = (entries: readonly { name: string }[]) =>
  new Set(entries.map((each) => each.name)).size === entries.length;

const accessFile = z.strictObject({
  version: z.literal(1),
  /** Signs session cookies and whatever else the API hands out. */
  sessionKey: base64url(32),
  tokens: z.array(token).refine(unique, "holds a name twice"),
  users: z.array(user).refine(unique, "holds a name twice"),
});

export type TokenEntry = Readonly<z.infer<typeof token>>;
export type UserEntry = Readonly<z.infer<typeof user>>;
export type PasswordHash = Readonly<z.infer<typeof passwordHash>>;
export interface AccessContent {
  readonly version: 1;
  readonly sessionKey: string;
  readonly tokens: readonly TokenEntry[];
  readonly users: readonly UserEntry[];
}

const PATIENCE_MS = 10_000;

/** Null where there is no such file; throws where it is not whole. */
export async function readAccessFile(file: string): Promise<AccessContent | null> {
  try {
    return await readPrivateJson(file, accessFile);
  } catch (cause) {
    if (codeOf(cause) === "KEY_FILE") throw cause;
    const what =
      cause instanceof z.ZodError ? problemsOf(cause) : cause instanceof SyntaxError ? "no JSON" : messageOf(cause);
    throw new TrivaultError(
      "CONFIG_INVALID",
      `The access file ${file} cannot be used (${what}), so no named token and no user is let in. Put a good copy of it back, or move it away and make tokens and users anew with \`trivault token create\` and \`trivault user add\`.`,
      { permanent: true, cause },
    );
  }
}

/** Reads, changes and publishes it while nobody else can; what `change` throws leaves it as it was. */
export async function changeAccessFile(
  file: string,
  change: (before: AccessContent) => AccessContent | Promise<AccessContent>,
): Promise<void> {
  await withFileLock(file, PATIENCE_MS, async () => {
    const before = (await readAccessFile(file)) ?? emptyContent();
    await publishJson(file, accessFile.parse(await change(before)));
  });
}

function emptyContent(): AccessContent {
  return { version: 1, sessionKey: randomBytes(32).toString("base64url"), tokens: [], users: [] };
}

/** Where, and not what: values may be secret. */
function problemsOf({ issues }: z.ZodError): string {
  const [first] = issues;
  return first === undefined
    ? "another form"
    : `at ${first.path.join(".") || "its top"}: ${first.code.replaceAll("_", " ")}`;
}
