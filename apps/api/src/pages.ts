import { z } from "zod";
import { cursor } from "./schema-parts.ts";

/** What lists take that are given page by page. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: cursor.optional(),
});

/** The page of a list that is ordered newest first by backup id, behind the last one of the page before. */
export function pageOf<T extends { readonly backupId: string }>(
  newestFirst: readonly T[],
  { limit, cursor: after }: z.output<typeof pageQuery>,
): { page: readonly T[]; nextCursor?: string | undefined } {
  const rest = after === undefined ? newestFirst : newestFirst.filter(({ backupId }) => backupId < after);
  const page = rest.slice(0, limit);
  return { page, ...(rest.length > page.length ? { nextCursor: page.at(-1)?.backupId } : {}) };
}
