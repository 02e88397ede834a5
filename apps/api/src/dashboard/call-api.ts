import type { FastifyRequest, InjectOptions } from "fastify";
import { z } from "zod";
import { CSRF_HEADER } from "../csrf.ts";
import type { Problem } from "../problem.ts";

/** What an API route answered: what it promises, or why not. */
export type Answer<T> = { readonly ok: T } | { readonly problem: Problem };

const problemSchema = z.object({ status: z.number(), code: z.string(), detail: z.string() });
/** What belongs to the form and not to whoever sent it. */
const OF_THE_FORM = new Set(["content-length", "content-type", "transfer-encoding", "accept-encoding", "connection"]);

/**
 * Forms ask the API, in this process and in the name of whoever sent them: so that one place alone decides who may do what,
 * and how it is done.
 */
export async function callApi<T>(request: FastifyRequest, call: ApiCall, answer: z.ZodType<T>): Promise<Answer<T>> {
  const { statusCode, payload } = await inject(request, call, "application/json");
  return statusCode < 400
    ? { ok: answer.parse(payload === "" ? null : JSON.parse(payload)) }
    : { problem: readProblem(payload) };
}

export interface ApiCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly body?: object;
}

export async function inject(request: FastifyRequest, { method, url, body }: ApiCall, accept: string) {
  const own = Object.entries(request.headers).filter(([name]) => !OF_THE_FORM.has(name));
  const options: InjectOptions = {
    method,
    url,
    headers: { ...Object.fromEntries(own), accept, [CSRF_HEADER]: request.csrf },
    remoteAddress: request.socket.remoteAddress ?? "127.0.0.1",
    ...(body === undefined ? {} : { payload: body }),
  };
  return request.server.inject(options);
}

export function readProblem(payload: string): Problem {
  return problemSchema.parse(JSON.parse(payload));
}

/** For pages that have no place to show a problem but a page of its own. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export function orThrow<T>(answer: Answer<T>): T {
  if ("ok" in answer) return answer.ok;
  throw new ApiProblem(answer.problem);
}
