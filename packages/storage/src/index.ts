export type * from "./store.ts";
export type * from "./tier.ts";
