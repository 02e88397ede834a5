export * from "./bytes.ts";
export * from "./config/resolve.ts";
export * from "./config/types.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./keys.ts";
export * from "./log.ts";
export * from "./manifest.ts";
