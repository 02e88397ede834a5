import { afterAll, beforeAll, describe } from "@jest/globals";
import { describeCancellation } from "./cancellation.ts";
import { describeHostileKeys } from "./hostile-keys.ts";
import { describeListing } from "./listing.ts";
import { describeNoOverwriting } from "./no-overwriting.ts";
import { describePutAndGet } from "./put-and-get.ts";
import { describeRemoval } from "./removal.ts";
import { describeReplacing } from "./replacing.ts";
import { describeResources } from "./resources.ts";
import { describeWholeOrAbsent } from "./whole-or-absent.ts";
import { emptyPlace, type StoreHarness, type StoreTraits } from "./place.ts";

export { chunked, eachOf } from "./bytes.ts";
export type { StoreHarness, StoreTraits } from "./place.ts";

/** The promises of `Store`, one test each. Every store runs all of them, against the real thing. */
export function describeStore(name: string, makeHarness: () => Promise<StoreHarness>, traits: StoreTraits = {}): void {
  describe(name, () => {
    const place = emptyPlace(traits);
    beforeAll(async () => {
      place.harness = await makeHarness();
      place.store = place.harness.open();
    }, 120_000);
    afterAll(async () => {
      await place.store?.close();
      await place.harness?.stop();
    }, 60_000);

    describePutAndGet(place);
    describeWholeOrAbsent(place);
    describeNoOverwriting(place);
    describeReplacing(place);
    describeListing(place);
    describeRemoval(place);
    describeHostileKeys(place);
    describeCancellation(place);
    describeResources(place);
  });
}
