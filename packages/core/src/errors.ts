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

/** Something readable for any thrown value. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error.message || codeOf(error) || error.name;
}
