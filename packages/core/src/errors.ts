import { shorten } from "./shorten.ts";

/** Stable names of what can go wrong; scripts and alerts match on these, never on message texts. */
export type ErrorCode =
  | "CONFIG_INVALID"
  | "INPUT_INVALID"
  | "NOT_FOUND"
  | "DATABASE_UNREACHABLE"
  | "DATABASE_REFUSED"
  | "TOOL_MISSING"
  | "TOOL_TOO_OLD"
  | "DUMP_FAILED"
  | "RESTORE_FAILED"
  | "TARGET_NOT_EMPTY"
  | "STORE_UNREACHABLE"
  | "STORE_REFUSED"
  | "STORE_FULL"
  | "STORE_FAILED"
  | "HOST_KEY"
  | "KEY_FILE"
  | "EXISTS"
  | "CORRUPT"
  | "UNTRUSTED"
  | "DECRYPT_FAILED"
  | "ABANDONED"
  /** A message could not be delivered by a channel. */
  | "CHANNEL_FAILED"
  /** An idempotency key that came with another request before. */
  | "KEY_REUSED"
  /** More waits already than may; try again when less does. */
  | "TOO_MANY_REQUESTS"
  /** The administrator has not allowed it to this role. */
  | "NOT_ALLOWED"
  | "QUEUE_UNREACHABLE"
  | "QUEUE_UNSAFE"
  | "CANCELLED";

/**
 * An error that an operator may read. Its message is one paragraph: what happened, and what to do next; it holds no
 * secret. `permanent` says that trying again without a change cannot help; it is decided where the failure happens.
 */
export class TrivaultError extends Error {
  readonly code: ErrorCode;
  readonly permanent: boolean;

  constructor(code: ErrorCode, message: string, options: { permanent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TrivaultError";
    this.code = code;
    this.permanent = options.permanent ?? false;
  }
}

/** True for errors that a retry cannot mend. Unknown errors count as transient: a retry is cheap, a lost backup is not. */
export function isPermanent(error: unknown): boolean {
  return error instanceof TrivaultError && error.permanent;
}

/** The `code` of an error of ours or of Node's (`ENOENT`, `ECONNREFUSED`, …), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Longer than any message that an operator reads; what a server or a library says may be megabytes. */
const MOST_CHARACTERS = 4_000;

/** Something readable for any thrown value, of bounded length. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return shorten(String(error), MOST_CHARACTERS);
  if (error instanceof AggregateError && error.message === "") {
    return shorten(error.errors.map(messageOf).join("; "), MOST_CHARACTERS);
  }
  const message = error.message || codeOf(error) || error.name;
  // Ours hold foreign text that came through here before.
  return error instanceof TrivaultError ? message : shorten(message, MOST_CHARACTERS);
}
