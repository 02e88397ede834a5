import type { TierConfig } from "@trivault/core";
import { s3Description, sftpDescription } from "./descriptions.ts";
import { lateStore } from "./late-store.ts";
import { localStore } from "./local.ts";
import type { Store } from "./store.ts";
import type { Tier } from "./tier.ts";

/** Opening makes no connection: each store makes its own at its first call. */
export function openTier(config: TierConfig): Tier {
  return { name: config.name, kind: config.kind, store: openStore(config) };
}

export function openTiers(configs: readonly TierConfig[]): Tier[] {
  return configs.map((config) => openTier(config));
}

function openStore(config: TierConfig): Store {
  if (config.kind === "local") return localStore(config);
  if (config.kind === "sftp") {
    return lateStore(sftpDescription(config), async () => (await import("./sftp.ts")).sftpStore(config));
  }
  const options = config.credentials === null ? {} : { credentials: config.credentials };
  return lateStore(s3Description(config), async () => (await import("./s3.ts")).s3Store(config, options));
}
