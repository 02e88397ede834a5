import { problemPage } from "@trivault/dashboard";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiDeps } from "../deps.ts";
import { readsPages, sendPage } from "../page.ts";
import { type Problem, sendProblem, setRetryAfter } from "../problem.ts";
import { viewOf } from "./view-of.ts";

/** Answers with what went wrong: a person gets a page, a program `application/problem+json`. */
export type ShowProblem = (request: FastifyRequest, reply: FastifyReply, problem: Problem) => FastifyReply;

export function createShowProblem(deps: Pick<ApiDeps, "alerts" | "redis">): ShowProblem {
  return (request, reply, problem) => {
    if (!readsPages(request)) return sendProblem(reply, problem);
    setRetryAfter(reply, problem);
    const page = problemPage(viewOf(deps, request), { ...problem, requestId: request.id });
    return sendPage(reply, page, problem.status);
  };
}
