import path from "node:path";
import { auditFolder, openAuditLog } from "@trivault/audit";
import {
  background,
  type Config,
  createLogger,
  DEFAULT_CONFIG_FILE,
  ENDS_WITHIN_MS,
  hidePasswords,
  loadDotEnv,
  type Logger,
  messageOf,
  onMistake,
  type Purpose,
  resolveConfig,
  TrivaultError,
  visibleText,
} from "@trivault/core";
import { collectShortLivedBuffers } from "@trivault/storage";
import { type ConfigEvent, watchConfig } from "./config-watch.ts";
import { requireOwnSite } from "./open-site.ts";

export function configFromEnvironment(purpose: Purpose): Config {
  loadDotEnv();
  return resolveConfig(process.env, purpose);
}

export interface Service {
  /** Brings a changed configuration into force. Where it throws, the old one must still be. */
  reload(config: Config): Promise<void>;
  /** Jobs that run have so many seconds to end; as configured, by default. */
  close(graceSeconds?: number): Promise<void>;
}

/**
 * The life of a service: configuration, start, changes of the configuration file, and an orderly end on SIGTERM or SIGINT.
 * A mistake of the operator ends as one paragraph on stderr and exit code 1, without a stack; a second signal ends at once.
 * After a mistake of this program its state is not known any more: it ends as after a signal, but with no grace for jobs
 * (they go back to the queue; children, spool and leases go) and with exit code 1.
 */
export async function runService(
  name: string,
  start: (config: Config, log: Logger) => Promise<Service>,
): Promise<void> {
  collectShortLivedBuffers();
  try {
    const config = configFromEnvironment("backup");
    const log = createLogger(config.logLevel, name);
    const stop = background(signalled()); // heard from now on: a signal during the start ends what was started, in order
    const mistaken = background(firstMistake(log));
    await requireOwnSite(config, log, new AbortController().signal);
    const running = await start(config, log);
    const watch = watchConfig({
      config,
      file: config.configFile ?? path.resolve(DEFAULT_CONFIG_FILE),
      // By its path: a file that is gone is refused, where one in the usual place need not be there at the start.
      load: ({ configFile }) => resolveConfig({ ...process.env, BACKUP_CONFIG: configFile ?? undefined }, "backup"),
      reload: (changed) => running.reload(changed),
      onConfig: (event) => record(config, name, log, event),
      log,
    });
    const end = await Promise.race([stop, mistaken]);
    log.info("shutting down");
    if (end === "mistake") setTimeout(() => process.exit(1), ENDS_WITHIN_MS);
    await watch.close();
    await running.close(end === "mistake" ? 0 : undefined);
    log.info("closed");
    process.exit(end === "mistake" ? 1 : 0);
  } catch (error) {
    fail(error);
  }
}

async function record(config: Config, service: string, log: Logger, event: ConfigEvent): Promise<void> {
  const audit = openAuditLog(auditFolder(config.backupDir), { log });
  const { outcome, file, message } = event;
  const what = { actor: "maintenance", details: { service, file } } as const;
  if (outcome === "loaded") await audit.record({ ...what, action: "config.loaded", outcome: "ok" });
  else {
    const error = { code: "CONFIG_INVALID", message: message ?? "" };
    await audit.record({ ...what, action: "config.refused", outcome: "refused", error });
  }
  await audit.close();
}

/** Prints what an operator can read and ends the process with status 1. */
export function fail(error: unknown): never {
  const unexpected = error instanceof Error && !(error instanceof TrivaultError) ? error.stack : undefined;
  process.stderr.write(`${visibleText(hidePasswords(unexpected ?? messageOf(error)))}\n`);
  process.exit(1);
}

function firstMistake(log: Logger): Promise<"mistake"> {
  const { promise, resolve } = Promise.withResolvers<"mistake">();
  onMistake((error) => {
    log.fatal({ err: error }, "a mistake of this program, which ends in order; please report it");
    resolve("mistake");
  });
  return promise;
}

function signalled(): Promise<"signal"> {
  const { promise, resolve } = Promise.withResolvers<"signal">();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      resolve("signal");
    });
  }
  return promise;
}
