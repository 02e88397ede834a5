import { STATUS_CODES } from "node:http";
import { type ErrorCode, TrivaultError } from "@trivault/core";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

/** What a failed request answers, as application/problem+json (RFC 9457); `code` is the name to match on. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** The one place where an error of ours becomes an HTTP status. */
const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  INPUT_INVALID: 400,
  NOT_FOUND: 404,
  EXISTS: 409,
  TOO_MANY_REQUESTS: 429,
  NOT_ALLOWED: 403,
  KEY_REUSED: 422,
  TARGET_NOT_EMPTY: 409,
  CONFIG_INVALID: 500,
  TOOL_MISSING: 500,
  TOOL_TOO_OLD: 500,
  KEY_FILE: 500,
  DUMP_FAILED: 500,
  RESTORE_FAILED: 500,
  CORRUPT: 500,
  UNTRUSTED: 500,
  DECRYPT_FAILED: 500,
  ABANDONED: 500,
  DATABASE_REFUSED: 502,
  CHANNEL_FAILED: 502,
  STORE_REFUSED: 502,
  STORE_FAILED: 502,
  HOST_KEY: 502,
  DATABASE_UNREACHABLE: 503,
  STORE_UNREACHABLE: 503,
  QUEUE_UNREACHABLE: 503,
  QUEUE_UNSAFE: 503,
  CANCELLED: 503,
  STORE_FULL: 507,
};

const RETRY_AFTER_SECONDS = 5;

export function sendProblem(reply: FastifyReply, { status, code, detail }: Problem): FastifyReply {
  setRetryAfter(reply, { status });
  const requestId = reply.request.id;
  return reply
    .status(status)
    .type("application/problem+json")
    .send({ type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, code, requestId });
}

export function setRetryAfter(reply: FastifyReply, { status }: Pick<Problem, "status">): void {
  if ((status === 503 || status === 429) && !reply.hasHeader("retry-after"))
    reply.header("retry-after", RETRY_AFTER_SECONDS);
}

/** Any error thrown on the way. What nobody foresaw is logged whole, and named by its request id alone. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.status >= 500) request.log.error({ err: error }, "request failed");
  return sendProblem(reply, problem);
}

export const NO_SUCH_PATH: Problem = {
  status: 404,
  code: "NOT_FOUND",
  detail: "There is nothing at this address. /api/v1/openapi.json lists what the API has.",
};

export function problemOf(error: unknown): Problem {
  if (error instanceof TrivaultError) {
    return { status: STATUS_OF[error.code], code: error.code, detail: error.message };
  }
  if (isRefusalOfFastify(error)) {
    const detail = error.validation ? validationDetail(error) : error.message;
    return { status: error.statusCode, code: "INPUT_INVALID", detail };
  }
  return {
    status: 500,
    code: "INTERNAL",
    detail: "An unexpected error; the API's log has more under this requestId.",
  };
}

/** Fastify's own verdicts on a request: too large, not JSON, not as its schema says. */
function isRefusalOfFastify(error: unknown): error is FastifyError & { statusCode: number } {
  if (!(error instanceof Error) || !("statusCode" in error)) return false;
  return typeof error.statusCode === "number" && error.statusCode >= 400 && error.statusCode < 500;
}

function validationDetail({ validation = [], validationContext = "body" }: FastifyError): string {
  const issues = validation.map(({ instancePath, message = "is not valid" }) => {
    const where = instancePath.replaceAll("/", ".").replace(/^\./, "");
    return `${where === "" ? validationContext : `${validationContext}.${where}`}: ${message}`;
  });
  return `${issues.join("; ")}.`;
}
