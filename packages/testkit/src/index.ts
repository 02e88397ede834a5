export * from "./ports.ts";
export * from "./redis.ts";
export * from "./temp.ts";
