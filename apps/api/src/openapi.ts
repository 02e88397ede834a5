import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { VERSION } from "@trivault/backup";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { App } from "./deps.ts";
import { setAccessOfRoutes } from "./route-access.ts";

export const DOCS_PATH = "/docs";
/** Swagger UI has inline styles, and pictures of its own in its style sheet. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ABOUT = `PostgreSQL backups in three tiers.

Send \`Authorization: Bearer <token>\`. Each operation names the role that it needs: viewer, operator or admin.

Errors are \`application/problem+json\` (RFC 9457): match on \`code\`, show \`detail\`, and quote \`requestId\` where you report one.

Where Redis is away, what starts something answers 503 (\`QUEUE_UNREACHABLE\`) within seconds; what is read from files and tiers goes on. With an \`Idempotency-Key\` it is safe to ask again.`;

/** The document is made of the schemas of the routes; it holds nothing that they do not check. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: { title: "Trivault", version: VERSION, description: ABOUT, license: { name: "Apache-2.0" } },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }],
    tags: [
      { name: "backups", description: "The backups on the tiers, and those being made" },
      { name: "restores", description: "Into a new database, with the checks first" },
      { name: "databases", description: "Health, schedules, runs, what is kept and why" },
      { name: "tiers", description: "Capacity, tests, synchronisation, cleanup" },
      { name: "jobs", description: "What workers do" },
      { name: "record", description: "Who did what when, in a chain that shows tampering" },
      { name: "alerts", description: "What is reported, to whom, and what is silenced" },
      { name: "reports", description: "How backups did over a time, and what needs a decision" },
      { name: "access", description: "Who one is, tokens, users" },
      { name: "site", description: "Health, events, configuration" },
    ],
  },
  transform: (given) => {
    const { schema, url } = jsonSchemaTransform(given);
    const { access } = given.route.config ?? {};
    if (schema.hide === true || access === undefined || access === "public") return { schema, url };
    const description = [schema.description, `Needs the role **${access}**.`].filter(Boolean).join("\n\n");
    return { schema: { ...schema, description }, url };
  },
  transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
};

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** Each schema exists as it is sent and as it is received; most documents need only one. */
function withoutUnused(document: Document): Document {
  if (!("components" in document) || document.components?.schemas === undefined) return document;
  const { schemas } = document.components;
  const used = new Set<string>();
  const visit = (part: unknown) => {
    for (const [, name = ""] of (JSON.stringify(part) ?? "").matchAll(/"#\/components\/schemas\/([^"/]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit("paths" in document ? document.paths : {});
  // By name, whatever was loaded first.
  const kept = Object.entries(schemas)
    .filter(([name]) => used.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { ...document, components: { ...document.components, schemas: Object.fromEntries(kept) } } as Document;
}

/** Runs in the browser, to which it goes as text: whoever is logged in there may try out what changes something. */
async function withCsrfToken(request: object): Promise<object> {
  const sent = request as { method?: string; headers: Record<string, string> };
  // The route of the document itself has no method.
  if (["GET", "HEAD"].includes((sent.method ?? "GET").toUpperCase())) return sent;
  const me = (await (await fetch("/api/v1/me")).json()) as { csrf?: string };
  if (me.csrf !== undefined) sent.headers["x-csrf-token"] = me.csrf;
  return sent;
}

/** The document for people. All that it loads is of this server. */
export async function registerDocs(app: App): Promise<void> {
  await app.register(async (docs) => {
    setAccessOfRoutes(docs, () => "viewer");
    await docs.register(swaggerUi, {
      routePrefix: DOCS_PATH,
      staticCSP: DOCS_POLICY,
      theme: { title: "Trivault API" },
      uiConfig: {
        deepLinking: true,
        docExpansion: "list",
        tryItOutEnabled: false,
        persistAuthorization: false,
        requestInterceptor: withCsrfToken,
      },
    });
  });
}
