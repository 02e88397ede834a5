import type { TierConfig } from "@trivault/core";
import { localProbe } from "./probe-local.ts";
import { type Probe, type ProbeStep, runProbe } from "./probe-steps.ts";

/**
 * Tries, step by step, all that backups need of a tier, by doing it: what it writes lies under a name that no listing shows
 * and every sweep takes, and is removed before it ends. Never throws for what is wrong with the tier: a step
 * reports that.
 */
export async function* probeTier(
  config: TierConfig,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<ProbeStep> {
  yield* runProbe(await probeOf(config), signal);
}

/** The libraries for SSH and S3 are loaded where they are tried. */
async function probeOf(config: TierConfig): Promise<Probe> {
  if (config.kind === "local") return localProbe(config);
  if (config.kind === "sftp") return (await import("./probe-sftp.ts")).sftpProbe(config);
  return (await import("./probe-s3.ts")).s3Probe(config);
}
