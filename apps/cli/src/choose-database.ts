import { type Config, TrivaultError } from "@trivault/core";

/** The database that a command is about: the one named, else the only one configured. */
export function chooseDatabase(config: Config, named: string | undefined): string {
  if (named !== undefined) return named;
  const [only, ...others] = config.databases.map(({ name }) => name);
  if (only !== undefined && others.length === 0) return only;
  const known = [only, ...others].filter((name) => name !== undefined).join(", ");
  const why = known === "" ? "DATABASE_URL is not set" : `several are configured: ${known}`;
  throw new TrivaultError("INPUT_INVALID", `Say which database: --database NAME (${why}).`, { permanent: true });
}

/** As `chooseDatabase`, and it must be configured: only such can be backed up. */
export function chooseConfigured(config: Config, named: string | undefined): string {
  const name = chooseDatabase(config, named);
  const known = config.databases.map((database) => database.name);
  if (known.includes(name)) return name;
  throw new TrivaultError(
    "NOT_FOUND",
    `No database named ${JSON.stringify(name)} is configured here; DATABASE_URL names ${known.join(", ")}.`,
    { permanent: true },
  );
}
