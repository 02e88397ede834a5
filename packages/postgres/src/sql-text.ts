import { createRequire } from "node:module";
import type * as Pg from "pg";

/** Loaded at its first use: most that import this package write no script. */
const pg = () => createRequire(import.meta.url)("pg") as typeof Pg;
export const identifier = (name: string): string => pg().escapeIdentifier(name);
export const literal = (text: string): string => pg().escapeLiteral(text);

/** Settings whose value is a list of quoted names: GUC_LIST_QUOTE of PostgreSQL, as far as a role or database may have them. */
const LISTS = new Set(["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"]);

/** `SET parameter TO value`, as ALTER ROLE and ALTER DATABASE take it; `value` as pg_db_role_setting has it. */
export function setClause({ name, value }: { readonly name: string; readonly value: string }): string {
  const parameter = name.split(".").map(identifier).join(".");
  const values = LISTS.has(name.toLowerCase()) ? splitList(value) : [value];
  return `SET ${parameter} TO ${values.map(literal).join(", ")}`;
}

/** `"$user", public` → `$user`, `public`. Elements are separated by commas, quoted as identifiers where need be. */
export function splitList(value: string): string[] {
  const elements = value.match(/(?:[^",]|"[^"]*")+/g) ?? [];
  return elements.map((element) => {
    const plain = element.trim();
    return plain.startsWith('"') ? plain.slice(1, -1).replaceAll('""', '"') : plain;
  });
}
