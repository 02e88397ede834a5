import {
  type Config,
  createLogger,
  loadDotEnv,
  type Logger,
  messageOf,
  type Purpose,
  resolveConfig,
  TrivaultError,
} from "@trivault/core";
import { collectShortLivedBuffers } from "@trivault/storage";

export function configFromEnvironment(purpose: Purpose): Config {
  loadDotEnv();
  return resolveConfig(process.env, purpose);
}

/**
 * The life of a service: configuration, start, and an orderly end on SIGTERM or SIGINT. A mistake of the operator ends as
 * one paragraph on stderr and exit code 1, without a stack; a second signal ends at once.
 */
export async function runService(
  name: string,
  start: (config: Config, log: Logger) => Promise<{ close(): Promise<void> }>,
): Promise<void> {
  collectShortLivedBuffers();
  try {
    const config = configFromEnvironment("backup");
    const log = createLogger(config.logLevel, name);
    const stop = signalled(); // heard from now on: a signal during the start ends what was started, in order
    const running = await start(config, log);
    await stop;
    log.info("shutting down");
    await running.close();
    log.info("closed");
    process.exit(0);
  } catch (error) {
    fail(error);
  }
}

/** Prints what an operator can read and ends the process with status 1. */
export function fail(error: unknown): never {
  if (error instanceof TrivaultError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? messageOf(error)) : messageOf(error)}\n`);
  process.exit(1);
}

function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      resolve();
    });
  }
  return promise;
}
