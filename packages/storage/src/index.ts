export { localStore } from "./local.ts";
export { memoryStore } from "./memory.ts";
export { openTier, openTiers } from "./open-tiers.ts";
export { bytesSource, hashAll, readAll, storeSource } from "./source.ts";
export type * from "./store.ts";
export type * from "./tier.ts";
