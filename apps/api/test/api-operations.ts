import { z } from "zod";

/** What the served OpenAPI document says, as far as a test sends requests by it. */

export type JsonSchema = { readonly [key: string]: unknown };

const parameter = z.object({
  name: z.string(),
  in: z.enum(["path", "query", "header", "cookie"]),
  required: z.boolean().default(false),
  schema: z.record(z.string(), z.unknown()),
  example: z.unknown().optional(),
});
const content = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  parameters: z.array(parameter).default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.optional() })),
});
export const openApiDocument = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
export type OpenApiDocument = z.output<typeof openApiDocument>;

export interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly name: string;
  /** Takes an Idempotency-Key. */
  readonly idempotent: boolean;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly z.output<typeof parameter>[];
  readonly body: JsonSchema | null;
  readonly responses: z.output<typeof operation>["responses"];
}

export function operationsOf({ paths }: OpenApiDocument): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary, parameters, requestBody, responses }]) => ({
      id: operationId,
      summary,
      idempotent: parameters.some(({ name }) => name === "idempotency-key"),
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters,
      body: Object.values(requestBody?.content ?? {})[0]?.schema ?? null,
      responses,
    })),
  );
}

/** The schema that an answer has to match; null where the document has none for its kind. */
export function schemaOfAnswer(
  { responses }: Operation,
  status: number,
  type: string,
): { readonly schema: JsonSchema | null } | null {
  const answer = responses[String(status)] ?? responses[`${Math.floor(status / 100)}XX`];
  if (answer === undefined) return null;
  return { schema: answer.content?.[type]?.schema ?? null };
}

/** A schema of the document, with what it refers to. */
export function matcherOf(document: OpenApiDocument): (schema: JsonSchema, value: unknown) => string | null {
  const defs = JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll("#/components/schemas/", "#/$defs/"),
  ) as Record<string, JsonSchema>;
  const known = new Map<JsonSchema, z.ZodType>();
  return (schema, value) => {
    const zod = known.get(schema) ?? toZod(schema, defs);
    known.set(schema, zod);
    const parsed = zod.safeParse(value);
    return parsed.success ? null : z.prettifyError(parsed.error);
  };
}

function toZod(schema: JsonSchema, defs: Record<string, JsonSchema>): z.ZodType {
  const text = JSON.stringify(schema).replaceAll("#/components/schemas/", "#/$defs/");
  return z.fromJSONSchema({ ...(JSON.parse(text) as object), $defs: defs });
}
