export { isCron } from "./cron-line.ts";
export { latestSlot, longestGapSeconds, nextSlot, spreadSeconds } from "./slots.ts";
export type { Schedule } from "./types.ts";
