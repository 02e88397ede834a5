import type { TierConfig } from "@trivault/core";
import { localStore } from "./local.ts";
import { s3Store } from "./s3.ts";
import { sftpStore } from "./sftp.ts";
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
  if (config.kind === "sftp") return sftpStore(config);
  return s3Store(config, config.credentials === null ? {} : { credentials: config.credentials });
}
