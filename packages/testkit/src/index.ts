export * from "./ports.ts";
export * from "./redis.ts";
export * from "./temp.ts";
export * from "./store-suite.ts";
export * from "./tcp-proxy.ts";
