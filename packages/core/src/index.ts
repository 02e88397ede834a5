export * from "./background.ts";
export * from "./bytes.ts";
export { databaseNameOf } from "./config/databases.ts";
export * from "./config/discovered.ts";
export * from "./config/dot-env.ts";
export { isReference, keyOfEnvironment, looksSecret } from "./config/key-text.ts";
export { type ConfigChange, type PreparedConfig, prepareConfigChange } from "./config/edit-file.ts";
export { configJsonSchema } from "./config/file-schema.ts";
export { type Env } from "./config/file-tiers.ts";
export {
  discoveredDatabase,
  discoveredName,
  findDatabase,
  isDiscovered,
  urlOfDatabase,
} from "./config/find-database.ts";
export { ConfigError, type Problem } from "./config/problems.ts";
export * from "./config/place-of.ts";
export { redisProtection } from "./config/redis-url.ts";
export * from "./config/resolve.ts";
export { DEFAULT_RETENTION, formatRetention, parseRetention } from "./config/retention.ts";
export * from "./config/monitoring-types.ts";
export * from "./config/types.ts";
export * from "./create-file.ts";
export * from "./digest.ts";
export * from "./errors.ts";
export * from "./file-lock.ts";
export * from "./folders.ts";
export { COPY_STATES, type CopyState, countOfStates } from "./copy-states.ts";
export * from "./guarded-folders.ts";
export * from "./hide-passwords.ts";
export { escapeHtml, html, Html, type HtmlValue, join } from "./html.ts";
export * from "./ids.ts";
export * from "./json-file.ts";
export * from "./keys.ts";
export * from "./language.ts";
export * from "./log.ts";
export * from "./loopback.ts";
export * from "./manifest-bytes.ts";
export * from "./manifest.ts";
export * from "./median.ts";
export * from "./mistakes.ts";
export * from "./private-file.ts";
export * from "./private-folder.ts";
export * from "./process-exists.ts";
export * from "./reaper.ts";
export * from "./shell-word.ts";
export * from "./shorten.ts";
export * from "./time.ts";
export * from "./umask.ts";
export * from "./unwritable.ts";
export * from "./visible.ts";
export * from "./without-trailing.ts";
