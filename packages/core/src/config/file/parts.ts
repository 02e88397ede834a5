import { z } from "zod";
import type { Format } from "../text/formats.ts";
import { nearest } from "../model/problems.ts";

/**
 * What the schema of the configuration file is built of. The message of an issue is what would be right; what was found is
 * put before it by whoever reports the problem, who knows which values are secret.
 */

export function text<T>(format: Format<T>, description: string) {
  return z
    .string({ error: `expected ${format.right}` })
    .transform((value, context): T => {
      const parsed = format.parse(value);
      if (parsed !== null) return parsed;
      context.issues.push({ code: "custom", message: `expected ${format.right}`, input: value });
      return z.NEVER;
    })
    .describe(description);
}

export function whole(min: number, max: number, description: string) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).describe(description);
}

export function number(min: number, max: number, description: string) {
  const error = `expected a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error }).describe(description);
}

export function flag(description: string) {
  return z.boolean({ error: "expected true or false" }).describe(description);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, description: string) {
  return z.enum(values, { error: `expected one of ${values.join(", ")}` }).describe(description);
}

export function listOf<T extends z.ZodType>(item: T, what: string, description: string) {
  return z.array(item, { error: `expected a list of ${what}` }).describe(description);
}

/** A map with these keys and no others. Each unknown key gets one line of the issue's message. */
export function section<T extends z.ZodRawShape>(shape: T, description: string) {
  const known = Object.keys(shape);
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === "unrecognized_keys"
          ? issue.keys.map((key) => unknownKey(key, known)).join("\n")
          : `expected a map of ${known.join(", ")}`,
    })
    .describe(description);
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return `is not known here: ${meant === null ? `there is ${known.join(", ")}` : `did you mean ${meant}?`}`;
}
