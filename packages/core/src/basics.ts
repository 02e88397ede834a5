/**
 * What needs no library and no other part of the model. An entry of its own (`@trivault/core/basics`), for what every start
 * of the command line loads: `--help` would else take three times as long (apps/cli/src/loaded.test.ts).
 */
export * from "./background.ts";
export * from "./bytes.ts";
export * from "./errors.ts";
export * from "./hide-passwords.ts";
export * from "./ids.ts";
export * from "./language.ts";
export * from "./mistakes.ts";
export * from "./shorten.ts";
export * from "./time.ts";
export * from "./visible.ts";
