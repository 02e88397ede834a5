import type { Config, DatabaseConfig, ServerConfig } from "./types.ts";

/** How a database that was discovered on a server is called: `<server>.<database>`. */
export function discoveredName(server: ServerConfig, database: string): string {
  return `${server.name}.${database}`;
}

/** The configuration of a discovered database: the server's, with a name and a URL of its own. */
export function discoveredDatabase(server: ServerConfig, database: string): DatabaseConfig {
  const { include: _include, exclude: _exclude, ...common } = server;
  return { ...common, name: discoveredName(server, database), url: urlOfDatabase(server.url, database) };
}

/**
 * The same server, another database. As text: the WHATWG's URL would write `+` for a space in a query, which libpq does not
 * read as one, and would take a name `..` for a way up.
 */
export function urlOfDatabase(url: string, database: string): string {
  const [, server = "", query = ""] = /^([a-z]+:\/\/[^/?]*)[^?]*(?:\?(.*))?$/s.exec(url) ?? [];
  const parameters = query.split("&").filter((pair) => pair !== "" && !pair.startsWith("dbname="));
  return `${server}/${encodeURIComponent(database)}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
}

/**
 * The database of that name, if it is configured: by itself, or on a server whose patterns it matches (whether it exists
 * there is not asked). Null where nothing configured is called so.
 */
export function findDatabase(config: Pick<Config, "databases" | "servers">, name: string): DatabaseConfig | null {
  const configured = config.databases.find((database) => database.name === name);
  if (configured) return configured;
  for (const server of config.servers) {
    if (!name.startsWith(`${server.name}.`)) continue;
    const database = name.slice(server.name.length + 1);
    if (isDiscovered(server, database)) return discoveredDatabase(server, database);
  }
  return null;
}

/** Whether a server's patterns take a database of that name. Templates never are. */
export function isDiscovered(server: Pick<ServerConfig, "include" | "exclude">, database: string): boolean {
  const matches = (pattern: string) => globToRegExp(pattern).test(database);
  return database !== "" && server.include.some(matches) && !server.exclude.some(matches);
}

function globToRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su");
}
