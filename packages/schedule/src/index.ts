export type { Schedule } from "./types.ts";
