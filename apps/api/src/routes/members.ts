import { createToken, listTokens, listUsers, revokeToken, ROLES } from "@trivault/access";
import { z } from "zod";
import { csrfToken } from "../csrf.ts";
import type { ApiDeps, App } from "../deps.ts";
import { problems } from "../schema-parts.ts";

const role = z.enum(ROLES).describe("viewer: looks; operator: backs up, verifies, restores; admin: everything.");
const time = z.iso.datetime();
const name = z
  .string()
  .min(1)
  .max(63)
  .meta({ examples: ["ci"] });

const token = z
  .object({
    name,
    role,
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    expired: z.boolean(),
    lastUsedAt: time.nullable().describe("To ten minutes."),
  })
  .meta({ id: "Token" });
const newToken = z.strictObject({
  name,
  role,
  expiresAt: time
    .nullable()
    .describe("Null: never. Better is a date.")
    .meta({ examples: ["2027-02-21T00:00:00Z"] }),
});
const madeToken = z
  .object({ name, role, expiresAt: time.nullable(), token: z.string().describe("Shown now, and never again.") })
  .meta({ id: "NewToken" });
const user = z
  .object({
    name: z.string(),
    role,
    createdAt: time,
    createdBy: z.string(),
    lastLoginAt: time.nullable(),
    recoveryCodesLeft: z.int(),
  })
  .meta({ id: "User" });
const me = z
  .object({
    actor: z.string().describe("As it stands in the audit log."),
    role,
    via: z.enum(["token", "session", "loopback"]),
    csrf: z.string().describe("With a session: the header x-csrf-token of whatever changes something."),
  })
  .meta({ id: "Me" });

/** Who is who. Users are added on the server's own command line only: their second factor is shown there. */
export function memberRoutes(app: App, { config, record }: ApiDeps): void {
  const { accessFile } = config.api;
  const now = () => new Date();

  app.get(
    "/api/v1/me",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "whoAmI",
        tags: ["access"],
        summary: "Who asks, and with which role",
        response: { 200: me, ...problems },
      },
    },
    async (request) => ({ ...request.identity, csrf: csrfToken(request) }),
  );

  app.get(
    "/api/v1/tokens",
    {
      config: { access: "admin" },
      schema: {
        operationId: "listTokens",
        tags: ["access"],
        summary: "The named tokens, without their secrets",
        response: { 200: z.object({ tokens: z.array(token) }).meta({ id: "TokenList" }), ...problems },
      },
    },
    async () => ({ tokens: await listTokens(accessFile, now()) }),
  );

  app.post(
    "/api/v1/tokens",
    {
      config: { access: "admin" },
      schema: {
        operationId: "createToken",
        tags: ["access"],
        summary: "Make a named token",
        description: "Its secret is in the answer, and nowhere else: only a hash of it is kept.",
        body: newToken,
        response: { 201: madeToken, ...problems },
      },
    },
    async (request, reply) => {
      const { name: called, role: as, expiresAt } = request.body;
      const { actor } = request.identity;
      const until = expiresAt === null ? null : new Date(expiresAt);
      const made = await createToken(accessFile, { name: called, role: as, expiresAt: until, createdBy: actor }, now());
      const details = { change: "created", token: called, role: as, expiresAt, ip: request.ip };
      await record({ action: "access.token", outcome: "ok", actor, details });
      return reply.status(201).send({ name: called, role: as, expiresAt: until?.toISOString() ?? null, token: made });
    },
  );

  app.delete(
    "/api/v1/tokens/:name",
    {
      config: { access: "admin" },
      schema: {
        operationId: "revokeToken",
        tags: ["access"],
        summary: "Revoke a named token, at once",
        params: z.strictObject({ name }),
        response: { 200: z.object({ name, revoked: z.literal(true) }).meta({ id: "RevokedToken" }), ...problems },
      },
    },
    async (request) => {
      const { name: called } = request.params;
      const { actor } = request.identity;
      await revokeToken(accessFile, called);
      const details = { change: "revoked", token: called, ip: request.ip };
      await record({ action: "access.token", outcome: "ok", actor, details });
      return { name: called, revoked: true as const };
    },
  );

  app.get(
    "/api/v1/users",
    {
      config: { access: "admin" },
      schema: {
        operationId: "listUsers",
        tags: ["access"],
        summary: "The users of the dashboard",
        response: { 200: z.object({ users: z.array(user) }).meta({ id: "UserList" }), ...problems },
      },
    },
    async () => ({ users: await listUsers(accessFile) }),
  );
}
