import { type Config, findDatabase, TrivaultError } from "@trivault/core";

/** The database that a command is about: the one named, else the only one configured. */
export function chooseDatabase(config: Config, named: string | undefined): string {
  if (named !== undefined) return named;
  const [only, ...others] = config.databases.map(({ name }) => name);
  if (only !== undefined && others.length === 0 && config.servers.length === 0) return only;
  const known = namesOf(config);
  const why = known === "" ? "DATABASE_URL is not set" : `several are configured: ${known}`;
  throw new TrivaultError("INPUT_INVALID", `Say which database: --database NAME (${why}).`, { permanent: true });
}

/** As `chooseDatabase`, and it must be configured, by itself or on a server: only such can be backed up. */
export function chooseConfigured(config: Config, named: string | undefined): string {
  const name = chooseDatabase(config, named);
  if (findDatabase(config, name)) return name;
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(name)} is configured here; there is ${namesOf(config) || "none"}.`,
    { permanent: true },
  );
}

/** `shop, ledger, main.app_*` */
function namesOf({ databases, servers }: Config): string {
  const patterns = servers.flatMap((server) => server.include.map((pattern) => `${server.name}.${pattern}`));
  return [...databases.map(({ name }) => name), ...patterns].join(", ");
}
