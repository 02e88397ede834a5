import type { JsonSchema, OpenApiDocument, Operation } from "./api-operations.ts";
import { operationsOf } from "./api-operations.ts";

/** `packages/client/src/generated.ts`, made of the OpenAPI document: types of what goes in and out, and where it goes. */
export function clientSource(document: OpenApiDocument): string {
  const operations = operationsOf(document)
    .filter(({ id }) => id !== "events")
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const schemas = Object.entries(document.components.schemas).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    "// Made of docs/openapi.json by `npm run api:document`; a test proves that it is current. Do not edit.",
    "",
    ...schemas.map(([name, schema]) => `export type ${name} = ${typeOf(schema)};\n`),
    "export interface Operations {",
    ...operations.map(
      (operation) =>
        `${comment(operation)}  readonly ${operation.id}: { readonly input: ${inputOf(operation, document)}; readonly answer: ${answerOf(operation)} };`,
    ),
    "}",
    "",
    "/** Where each goes: what of its input belongs into the path and the query; the rest is the body. */",
    "export const OPERATIONS = {",
    ...operations.map((operation) => `  ${operation.id}: ${JSON.stringify(routeOf(operation))},`),
    "} as const satisfies Record<keyof Operations, Route>;",
    "",
    "export interface Route {",
    "  readonly method: string;",
    "  readonly path: string;",
    "  readonly query: readonly string[];",
    "  readonly body: boolean;",
    "}",
    "",
  ].join("\n");
}

function routeOf({ method, path, parameters, body }: Operation) {
  const query = parameters.filter((each) => each.in === "query").map(({ name }) => name);
  return { method, path, query, body: body !== null };
}

function comment({ summary, idempotent }: Operation): string {
  return `  /** ${summary}.${idempotent ? " Takes an idempotency key." : ""} */\n`;
}

/** Path, query and body in one object; their names never meet. */
function inputOf({ id, parameters, body }: Operation, document: OpenApiDocument): string {
  const placed = parameters.filter((each) => each.in === "path" || each.in === "query");
  const fields = placed.map(({ name, required, schema }) => field(name, required, schema));
  const names = new Set(placed.map(({ name }) => name));
  if (body === null) return `{ ${fields.join("\n")} }`;
  const reference = typeof body["$ref"] === "string" ? body["$ref"].split("/").at(-1) : undefined;
  const resolved = (reference === undefined ? body : document.components.schemas[reference]) ?? {};
  for (const name of Object.keys(resolved["properties"] ?? {})) {
    if (names.has(name)) throw new Error(`${id} takes ${name} twice: in its body, and in its path or query`);
  }
  return fields.length === 0 ? typeOf(body) : `{ ${fields.join("\n")} } & ${typeOf(body)}`;
}

function answerOf({ responses }: Operation): string {
  const types = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .flatMap(([, { content }]) =>
      content === undefined
        ? ["undefined"]
        : Object.entries(content).map(([type, { schema }]) =>
            type === "application/json" ? typeOf(schema) : "string",
          ),
    );
  return [...new Set(types)].join(" | ") || "undefined";
}

function field(name: string, required: boolean, schema: JsonSchema): string {
  const described = schema["description"];
  const text = typeof described === "string" ? `/** ${described.replaceAll("*/", "")} */\n` : "";
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
  return `${text}readonly ${key}${required ? "" : "?"}: ${typeOf(schema)}${required ? "" : " | undefined"};`;
}

function typeOf(schema: JsonSchema): string {
  const { $ref, anyOf, oneOf, allOf, enum: among, const: only, type } = schema;
  if (typeof $ref === "string") return $ref.split("/").at(-1) ?? "unknown";
  const choices = (anyOf ?? oneOf) as JsonSchema[] | undefined;
  if (choices) return [...new Set(choices.map(typeOf))].join(" | ");
  if (Array.isArray(allOf)) return (allOf as JsonSchema[]).map((each) => `(${typeOf(each)})`).join(" & ");
  if (Array.isArray(among)) {
    // In a query there is no other way to write a boolean.
    return JSON.stringify(among) === '["true","false"]'
      ? "boolean"
      : among.map((each) => JSON.stringify(each)).join(" | ");
  }
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(type)) return type.map((each) => typeOf({ ...schema, type: each as string })).join(" | ");
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "integer":
    case "number":
      return "number";
    case "array":
      if (Array.isArray(schema["prefixItems"])) {
        return `readonly [${(schema["prefixItems"] as JsonSchema[]).map(typeOf).join(", ")}]`;
      }
      return `readonly (${typeOf((schema["items"] ?? {}) as JsonSchema)})[]`;
    case "object":
      return objectOf(schema);
    default:
      return "unknown";
  }
}

function objectOf(schema: JsonSchema): string {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema["required"] ?? []) as string[]);
  const rest = schema["additionalProperties"];
  if (properties.length === 0 && typeof rest === "object" && rest !== null) {
    return `Readonly<Record<string, ${typeOf(rest as JsonSchema)}>>`;
  }
  return `{ ${properties.map(([name, each]) => field(name, required.has(name), each)).join("\n")} }`;
}
