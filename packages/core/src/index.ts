export * from "./basics.ts";
export { databaseNameOf } from "./config/resolve/databases.ts";
export * from "./config/model/discovered.ts";
export * from "./config/environment/dot-env.ts";
export { isReference, keyOfEnvironment, looksSecret } from "./config/text/key-text.ts";
export { type ConfigChange, type PreparedConfig, prepareConfigChange } from "./config/resolve/edit-file.ts";
export { configJsonSchema } from "./config/file/schema.ts";
export { type Env } from "./config/file/tiers.ts";
export {
  discoveredDatabase,
  discoveredName,
  findDatabase,
  isDiscovered,
  urlOfDatabase,
} from "./config/model/find-database.ts";
export { awsKeySettings, settingOf } from "./config/model/origin.ts";
export { ConfigError, type Problem } from "./config/model/problems.ts";
export * from "./config/model/place-of.ts";
export { redisProtection } from "./config/environment/redis-url.ts";
export * from "./config/resolve/resolve.ts";
export { DEFAULT_RETENTION, formatRetention, parseRetention } from "./config/text/retention.ts";
export * from "./config/model/monitoring-types.ts";
export * from "./config/model/types.ts";
export * from "./create-file.ts";
export * from "./digest.ts";
export * from "./file-lock.ts";
export * from "./folders.ts";
export { COPY_STATES, type CopyState, countOfStates } from "./copy-states.ts";
export * from "./guarded-folders.ts";
export { escapeHtml, html, Html, type HtmlValue, join } from "./html.ts";
export * from "./json-file.ts";
export * from "./keys.ts";
export * from "./log.ts";
export * from "./loopback.ts";
export * from "./manifest-bytes.ts";
export * from "./manifest.ts";
export * from "./median.ts";
export * from "./private-file.ts";
export * from "./private-folder.ts";
export * from "./process-exists.ts";
export * from "./reaper.ts";
export * from "./shell-word.ts";
export * from "./umask.ts";
export * from "./unwritable.ts";
export * from "./without-trailing.ts";
