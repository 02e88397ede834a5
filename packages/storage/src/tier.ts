import type { TierConfig } from "@trivault/core";
import type { Store } from "./store.ts";

/** A place that holds copies: data, not a class. */
export interface Tier {
  readonly name: string;
  readonly kind: TierConfig["kind"];
  readonly store: Store;
}
