import { anyText } from "@trivault/testkit/any-text";
import fc from "fast-check";
import type { JsonSchema, OpenApiDocument, Operation } from "./api-operations.ts";

export interface RawRequest {
  /** As it goes over the wire, query included. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** What was done to it; `none`: it is as the document says. */
  readonly trick: string;
}

/** Texts that have broken programs. */
const NASTY = [
  "",
  " ",
  "\0",
  "a\0b",
  "..",
  "../../etc/passwd",
  "/",
  "%00",
  "%2e%2e%2f",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "NaN",
  "-1",
  "1e309",
  "0x10",
  "true",
  "' OR 1=1 --",
  "$(reboot)",
  "\u202etxt.exe",
  "👩‍👩‍👧‍👦".repeat(40),
  "\ud800",
  "x".repeat(300),
  "y".repeat(9000),
  "2026-02-30T00:00:00Z",
  "20269999t999999z-00000000",
];
const nasty = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: "grapheme" }), anyText());
const junk: fc.Arbitrary<unknown> = fc.oneof(
  nasty,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(nasty, { maxLength: 3 }),
  fc.dictionary(nasty, nasty, { maxKeys: 3 }),
  fc.constant(Number.MAX_VALUE),
);
/** Parts of the path, as they are. */
const PATHS = ["%", "%ff", "%00", "..%2f..%2fetc%2fpasswd", "%E0%A4%A", ".", "%2e%2e", "%20", "a%0d%0ab", "*", "~"];
const BODIES = [
  "",
  "{",
  "[]",
  "null",
  "7",
  '"text"',
  '{"__proto__":{"x":1}}',
  "[".repeat(5000),
  `"${"z".repeat(20_000)}"`,
];
const HEADERS: readonly (readonly [string, string])[] = [
  ["content-type", "text/plain"],
  ["content-type", "application/json; charset=utf-16"],
  ["content-type", "application/x-www-form-urlencoded"],
  ["content-type", "multipart/form-data; boundary=x"],
  ["content-type", ";;"],
  ["accept", "text/html"],
  ["accept-encoding", "br;q=2, zip"],
  ["if-none-match", "*"],
  ["range", "bytes=0-"],
  ["x-forwarded-for", "' OR 1"],
  ["idempotency-key", "é"],
  ["last-event-id", "99999999999999999999"],
  ["last-event-id", "x"],
  ["x-http-method-override", "DELETE"],
  ["cookie", "session=\u00e9; a=b"],
];

/** Requests as the document has them, and some with one thing wrong. */
export function requestsOf(operation: Operation, document: OpenApiDocument): fc.Arbitrary<RawRequest> {
  const parts = partsOf(operation, document);
  const tricks: fc.Arbitrary<RawRequest>[] = [
    parts.map(assemble(operation, "unknown query", (each) => ({ ...each, query: { ...each.query, "un known": "1" } }))),
    fc
      .tuple(parts, fc.constantFrom(...HEADERS))
      .map(([each, [name, value]]) =>
        assemble(operation, `header ${name}`, (same) => ({ ...same, headers: { ...same.headers, [name]: value } }))(
          each,
        ),
      ),
  ];
  const inPath = operation.parameters.filter((one) => one.in === "path");
  const inQuery = operation.parameters.filter((one) => one.in === "query");
  if (inPath.length > 0) {
    const wrong = fc.oneof(fc.constantFrom(...PATHS), nasty.map(encoded));
    tricks.push(
      fc
        .tuple(parts, fc.constantFrom(...inPath), wrong)
        .map(([each, { name }, value]) =>
          assemble(operation, `path ${name}`, (same) => ({ ...same, path: { ...same.path, [name]: value } }))(each),
        ),
    );
  }
  if (inQuery.length > 0) {
    tricks.push(
      fc
        .tuple(parts, fc.constantFrom(...inQuery), fc.oneof(nasty, fc.array(nasty, { minLength: 2, maxLength: 2 })))
        .map(([each, { name }, value]) =>
          assemble(operation, `query ${name}`, (same) => ({ ...same, query: { ...same.query, [name]: value } }))(each),
        ),
    );
  }
  if (operation.body !== null) {
    const spoiled = fc.tuple(parts, nasty, junk).map(([each, name, value]) => spoil(operation, each, name, value));
    tricks.push(
      spoiled,
      spoiled,
      fc
        .tuple(parts, fc.constantFrom(...BODIES))
        .map(([each, body]) => assemble(operation, "another body", (same) => ({ ...same, body }))(each)),
    );
  }
  return fc.oneof(parts.map(assemble(operation, "none", (same) => same)), ...tricks);
}

/** Requests as the document has them. */
export function validRequestsOf(operation: Operation, document: OpenApiDocument): fc.Arbitrary<RawRequest> {
  return partsOf(operation, document).map(assemble(operation, "none", (same) => same));
}

/** What the client's method takes for it: path, query and body in one. */
export function inputsOf(operation: Operation, document: OpenApiDocument): fc.Arbitrary<object> {
  return partsOf(operation, document).map(({ path, query, body }) => ({
    ...Object.fromEntries(Object.entries(path).map(([name, value]) => [name, decodeURIComponent(value)])),
    ...query,
    ...(body === null ? {} : (JSON.parse(body) as object)),
  }));
}

interface Parts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

function partsOf({ parameters, body }: Operation, document: OpenApiDocument): fc.Arbitrary<Parts> {
  const at = (place: string) => {
    const those = parameters.filter((one) => one.in === place);
    const values = those.map(({ name, schema, example }) => {
      const examples = example === undefined ? {} : { examples: [example] };
      return [name, valuesOf({ ...schema, ...examples }, document)] as const;
    });
    const requiredKeys = those.filter(({ required }) => required).map(({ name }) => name);
    return fc.record(Object.fromEntries(values), { requiredKeys });
  };
  const texts = (record: Record<string, unknown>, to: (text: string) => string) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(String(value))]));
  return fc
    .tuple(at("path"), at("query"), at("header"), body === null ? fc.constant(null) : valuesOf(body, document))
    .map(([path, query, headers, content]) => ({
      path: texts(path, encoded),
      query,
      headers: texts(headers, (text) => text.replaceAll(/[^!-~]/g, "")),
      body: body === null ? null : JSON.stringify(content),
    }));
}

function assemble({ path }: Operation, trick: string, change: (parts: Parts) => Parts): (parts: Parts) => RawRequest {
  return (parts) => {
    const { path: values, query, headers, body } = change(parts);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      [value].flat().map((each) => `${encoded(name)}=${encoded(String(each))}`),
    );
    const type = body === null ? {} : { "content-type": "application/json" };
    return {
      path: [filled, ...(pairs.length > 0 ? [pairs.join("&")] : [])].join("?"),
      headers: { ...type, ...headers },
      body,
      trick,
    };
  };
}

/** One field more, less, or of another kind. */
function spoil(operation: Operation, parts: Parts, name: string, value: unknown): RawRequest {
  const content: unknown = parts.body === null ? {} : JSON.parse(parts.body);
  const fields = Object.keys(typeof content === "object" && content !== null ? content : {});
  const chosen = fields[name.length % (fields.length + 1)] ?? name;
  const body = JSON.stringify({ ...(content as object), [chosen]: value });
  return assemble(operation, `body ${JSON.stringify(chosen).slice(0, 40)}`, (same) => ({ ...same, body }))(parts);
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Values that a schema takes; the examples of texts with a rule that JSON Schema cannot express. */
function valuesOf(schema: JsonSchema, document: OpenApiDocument): fc.Arbitrary<unknown> {
  const { $ref, anyOf, oneOf, allOf, examples, enum: among, const: only, type } = schema;
  if (typeof $ref === "string")
    return valuesOf(document.components.schemas[$ref.split("/").at(-1) ?? ""] ?? {}, document);
  const choices = (anyOf ?? oneOf) as JsonSchema[] | undefined;
  if (choices) return fc.oneof(...choices.map((each) => valuesOf(each, document)));
  if (Array.isArray(allOf)) return valuesOf(Object.assign({}, ...(allOf as JsonSchema[])) as JsonSchema, document);
  if (Array.isArray(among)) return fc.constantFrom(...(among as unknown[]));
  if (only !== undefined) return fc.constant(only);
  if (type === "object") return objectsOf(schema, document);
  const free = plainValuesOf(schema, document);
  return Array.isArray(examples)
    ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...(examples as unknown[])) }, free)
    : free;
}

function objectsOf(schema: JsonSchema, document: OpenApiDocument): fc.Arbitrary<unknown> {
  const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
  const required = (schema["required"] ?? []) as string[];
  const values = Object.entries(properties).map(([name, each]) => [name, valuesOf(each, document)] as const);
  return fc.record(Object.fromEntries(values), { requiredKeys: required.filter((name) => name in properties) });
}

function plainValuesOf(schema: JsonSchema, document: OpenApiDocument): fc.Arbitrary<unknown> {
  const number = (name: string, otherwise: number) => {
    const value = schema[name];
    return typeof value === "number" ? Math.max(-1e9, Math.min(1e9, value)) : otherwise;
  };
  switch (schema["type"]) {
    case "string": {
      if (schema["format"] === "date-time") return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
      if (typeof schema["pattern"] === "string" && !schema["format"])
        return fc.stringMatching(new RegExp(schema["pattern"]));
      return fc.string({ minLength: number("minLength", 0), maxLength: Math.min(300, number("maxLength", 40)) });
    }
    case "integer":
      return fc.integer({ min: number("minimum", 0), max: number("maximum", 1000) });
    case "number":
      return fc.double({ min: number("minimum", 0), max: number("maximum", 1000), noNaN: true });
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(valuesOf((schema["items"] ?? {}) as JsonSchema, document), {
        minLength: number("minItems", 0),
        maxLength: 4,
      });
    case "null":
      return fc.constant(null);
    default:
      return junk;
  }
}
