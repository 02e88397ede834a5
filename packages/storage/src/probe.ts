import type { TierConfig } from "@trivault/core";
import { localProbe } from "./probe-local.ts";
import { s3Probe } from "./probe-s3.ts";
import { sftpProbe } from "./probe-sftp.ts";
import { type ProbeStep, runProbe } from "./probe-steps.ts";

/**
 * Tries, step by step, all that backups need of a tier, by doing it: what it writes lies under a name that no listing shows
 * and every sweep takes, and is removed before it ends. Never throws for what is wrong with the tier: a step
 * reports that.
 */
export function probeTier(config: TierConfig, options: { readonly signal: AbortSignal }): AsyncGenerator<ProbeStep> {
  if (config.kind === "local") return runProbe(localProbe(config), options.signal);
  if (config.kind === "sftp") return runProbe(sftpProbe(config), options.signal);
  return runProbe(s3Probe(config), options.signal);
}
