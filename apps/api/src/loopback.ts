import type { Access } from "@trivault/access";
import { type ApiConfig, isLoopback, TrivaultError } from "@trivault/core";
import type { FastifyRequest } from "fastify";

/** Without a token and without anybody in the access file only this machine may reach the API. */
export async function requireTokenBeyondLoopback(
  { host, token, accessFile }: Pick<ApiConfig, "host" | "token" | "accessFile">,
  access: Pick<Access, "members">,
): Promise<void> {
  if (token !== null || isLoopback(host)) return;
  const members = await access.members();
  if (members !== "empty" && members !== "broken") return;
  const file = members === "broken" ? `the access file ${accessFile} is damaged` : "nobody stands in the access file";
  throw new TrivaultError(
    "CONFIG_INVALID",
    `The API would listen on BACKUP_API_HOST ${host} without a token (${file}), so no caller could be distinguished from another. Set BACKUP_API_TOKEN (\`openssl rand -hex 32\` prints one), add a user (\`npm run backup:user:add\`), or leave BACKUP_API_HOST at 127.0.0.1.`,
    { permanent: true },
  );
}

/** DNS rebinding: a page on evil.example whose name is made to mean 127.0.0.1 still sends `Host: evil.example`. */
export function namesThisMachine({ headers }: FastifyRequest): boolean {
  const url = `http://${headers.host ?? ""}`;
  return URL.canParse(url) && isLoopback(new URL(url).hostname.replace(/^\[(.*)\]$/, "$1"));
}

/** What a proxy hands on comes from anywhere. */
export function cameByProxy({ headers }: FastifyRequest): boolean {
  return ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"].some((name) => headers[name] !== undefined);
}
