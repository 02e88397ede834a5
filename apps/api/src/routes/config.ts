import { background, configJsonSchema, LANGUAGES } from "@trivault/core";
import { checkConnections, describeConfig } from "@trivault/site";
import { z } from "zod";
import type { ApiDeps, App } from "../deps.ts";
import { listOf, problems } from "../schema-parts.ts";

const anything = z.record(z.string(), z.unknown());
const inForce = z
  .object({
    configFile: z.string().nullable(),
    backupDir: z.string(),
    encryption: z.object({ mode: z.enum(["age", "none"]), recipients: listOf(z.string()).optional() }),
    databases: listOf(anything),
    servers: listOf(anything),
    tiers: listOf(anything),
    limits: anything,
    redis: z.object({
      url: z.string().nullable().describe("Null: one of its own."),
      protection: z.string().describe("What protects the way there."),
    }),
    mail: anything.nullable(),
    alerts: z.object({
      channels: listOf(z.object({ name: z.string(), kind: z.string(), from: z.string(), to: listOf(z.string()) })),
      deadMan: z.object({ host: z.string(), every: z.string() }).nullable(),
      language: z.enum(LANGUAGES),
      repeat: z.string(),
      off: listOf(z.string()),
    }),
    reports: anything,
    warnings: listOf(z.string()),
  })
  .meta({ id: "Configuration" });
const connections = z
  .object({
    ok: z.boolean(),
    connections: listOf(
      z.object({
        kind: z.enum(["database", "server", "tier"]),
        name: z.string(),
        ok: z.boolean(),
        detail: z.string(),
        advice: z.string().nullable().describe("What to do."),
      }),
    ),
  })
  .meta({ id: "Connections" });

export function configRoute(app: App, { config }: ApiDeps): void {
  app.get(
    "/api/v1/config",
    {
      config: { access: "admin" },
      schema: {
        operationId: "showConfig",
        tags: ["site"],
        summary: "What is in force, secrets hidden",
        response: { 200: inForce, ...problems },
      },
    },
    // Through JSON, as it will be: times become texts.
    async () => inForce.parse(JSON.parse(JSON.stringify(describeConfig(config, new Date())))),
  );
  let checking: ReturnType<typeof checkConnections> | null = null;
  app.post(
    "/api/v1/config/check",
    {
      config: { access: "admin" },
      schema: {
        operationId: "checkConfig",
        tags: ["site"],
        summary: "Test every connection: databases, servers, tiers",
        description:
          "Takes up to 45 seconds for each that does not answer. Those who ask at once are answered together.",
        response: { 200: connections, ...problems },
      },
    },
    async () => {
      checking ??= background(
        checkConnections(config, AbortSignal.timeout(CHECK_MS)).finally(() => {
          checking = null;
        }),
      );
      const found = await checking;
      return { ok: found.every(({ ok }) => ok), connections: found };
    },
  );
  app.get(
    "/api/v1/config/schema",
    {
      config: { access: "viewer" },
      schema: {
        operationId: "showConfigSchema",
        tags: ["site"],
        summary: "The JSON Schema of trivault.config.yaml",
        response: { 200: anything, ...problems },
      },
    },
    async () => JSON.parse(JSON.stringify(configJsonSchema())) as Record<string, unknown>,
  );
}

/** Less than a connection may be silent. */
const CHECK_MS = 55_000;
