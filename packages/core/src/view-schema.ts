import { z } from "zod";

/** What the schemas of views are made of. Only whoever answers with views loads this: the API. */

/** ISO 8601 in UTC. */
export const time = z.iso.datetime().meta({ examples: ["2026-11-23T02:00:00.000Z"] });
export const bytes = z.int().nonnegative();
export const count = z.int().nonnegative();
export const seconds = z.number().nonnegative();

/** An array that is only looked at, as ours are. */
export function listOf<T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> {
  return z.array(item) as unknown as z.ZodReadonly<z.ZodArray<T>>;
}

/** The type of what a schema describes: only looked at, all the way down. */
export type ViewOf<Schema extends z.ZodType> = Unchanging<z.infer<Schema>>;
type Unchanging<T> = T extends readonly (infer Item)[]
  ? readonly Unchanging<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Unchanging<T[Key]> }
    : T;
