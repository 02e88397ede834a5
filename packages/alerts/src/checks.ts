import type { AuditLog } from "@trivault/audit";
import { type Config, DAY_MS, HOUR_MS, type Logger, messageOf } from "@trivault/core";
import { certificateExpiries } from "./certificates.ts";
import { pause } from "./pause.ts";
import type { Expiry, Observation } from "./types.ts";

/** Not while everything starts. */
const RECORD_AFTER_MS = 60_000;
const CERTIFICATES_AFTER_MS = 2000;
const AGAIN_MS = HOUR_MS;

/** What is looked at once a day, in the background. */
export interface Checks {
  record(): Observation["record"];
  certificates(): readonly Expiry[] | null;
  /** There is reason to doubt the audit log. */
  checkRecord(): void;
  readonly ended: Promise<void>;
}

export function startChecks(
  { config, audit, now, log }: { config: Config; audit: Pick<AuditLog, "verify">; now: () => Date; log: Logger },
  signal: AbortSignal,
  wake: () => void,
): Checks {
  let record: Observation["record"] = null;
  let certificates: readonly Expiry[] | null = null;
  let checking: Promise<void> | null = null;

  const checkRecord = (): Promise<void> => {
    checking ??= audit
      .verify(signal)
      .then(
        ({ ok, problems }) => {
          record = { ok, problems, checkedAt: now() };
          wake();
        },
        (error: unknown) => {
          if (!signal.aborted) log.warn({ reason: messageOf(error) }, "the audit log could not be checked");
        },
      )
      .finally(() => {
        checking = null;
      });
    return checking;
  };

  const checkCertificates = async (): Promise<boolean> => {
    const known = certificates ?? [];
    const found = await certificateExpiries(config, signal, (line) => log.warn(line));
    // One that could not be asked this time ends when it did.
    certificates = found.map((each) =>
      each.at === null ? (known.find(({ name }) => name === each.name) ?? each) : each,
    );
    wake();
    return found.every(({ at }) => at !== null);
  };

  const daily = async (afterMs: number, check: () => Promise<boolean>) => {
    await pause(afterMs, signal);
    while (!signal.aborted) await pause((await check()) ? DAY_MS : AGAIN_MS, signal);
  };
  const ended = Promise.all([
    daily(RECORD_AFTER_MS, () => checkRecord().then(() => true)),
    daily(CERTIFICATES_AFTER_MS, checkCertificates),
  ]).then(() => checking ?? undefined);
  return {
    record: () => record,
    certificates: () => certificates,
    checkRecord: () => void checkRecord(),
    ended,
  };
}
