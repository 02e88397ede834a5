export { ApiError, type CallOptions, type Client, type ClientOptions, createClient } from "./client.ts";
export type { ApiEvent, EventOptions } from "./events.ts";
export type * from "./generated.ts";
