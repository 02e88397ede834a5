import { randomBytes } from "node:crypto";
import type { Access } from "@trivault/access";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Cookies } from "../cookies.ts";

/** What ties a form to this browser, before anybody has logged in: without it, a foreign page could send it. */
export function formNonce(cookies: Cookies, reply: FastifyReply): string {
  const nonce = cookies.read(reply.request, "form") ?? randomBytes(16).toString("base64url");
  cookies.set(reply, "form", nonce);
  return nonce;
}

export async function isFormOurs(cookies: Cookies, access: Access, request: FastifyRequest): Promise<boolean> {
  const nonce = cookies.read(request, "form");
  return nonce !== null && access.checkCsrf(`form ${nonce}`, request.csrfSent ?? "");
}
