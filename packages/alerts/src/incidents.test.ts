import { expect, test } from "@jest/globals";
import { event, NO_INCIDENTS, observe } from "../test/observations.ts";
import { findSigns } from "./find-signs.ts";
import { incidentSchema, takeEvent } from "./incidents.ts";

const lost = event("tier.vanished", { tier: "cloud", database: "shop", details: { copies: 12 } });

test("lost copies are counted, and kept as a number from one start to the next", () => {
  const [incident] = Object.values(takeEvent(NO_INCIDENTS, lost));
  expect(incidentSchema.parse(JSON.parse(JSON.stringify(incident)))).toMatchObject({ copies: 12, message: null });
});

test("those that a version before kept as a text are read", () => {
  const [incident] = Object.values(takeEvent(NO_INCIDENTS, lost));
  const { copies: _copies, ...older } = { ...incident, message: "12" };
  const read = incidentSchema.parse(JSON.parse(JSON.stringify(older)));
  expect(read).toMatchObject({ copies: 12, message: null });
  const signs = findSigns(observe({ incidents: { "lost shop/cloud": read } }));
  expect(signs).toMatchObject([{ rule: "tier-shrunk", data: { copies: 12 } }]);
});
