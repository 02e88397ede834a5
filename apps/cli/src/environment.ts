import {
  type Config,
  createLogger,
  loadDotEnv,
  type Logger,
  type Purpose,
  resolveConfig,
  resolveSigningKeyFile,
} from "@trivault/core";
import { say } from "./output.ts";

/** A URL with a password; read here, since it belongs to one command line and not to the configuration. */
const RESTORE_TARGET = "BACKUP_RESTORE_TARGET";

export interface Environment {
  readonly config: Config;
  readonly log: Logger;
  readonly restoreTarget: string | null;
}

/** `.env` and the environment, validated. Logs are at warn level here unless LOG_LEVEL says otherwise. */
export function readEnvironment(purpose: Purpose): Environment {
  loadDotEnv();
  const restoreTarget = process.env[RESTORE_TARGET] || null;
  delete process.env[RESTORE_TARGET]; // no program that we start needs to see it
  const config = resolveConfig(process.env, purpose);
  for (const warning of config.warnings) say(`Warning: ${warning}`);
  return { config, log: createLogger(process.env.LOG_LEVEL ? config.logLevel : "warn", "cli"), restoreTarget };
}

/** Where the signing key lies or is to lie. Nothing else of the configuration need be there or right yet. */
export function signingKeyFile(): string {
  loadDotEnv();
  return resolveSigningKeyFile(process.env);
}
