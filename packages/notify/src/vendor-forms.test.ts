import { describe, expect, test } from "@jest/globals";
import { LANGUAGES } from "@trivault/core";
import fc from "fast-check";
import type { z } from "zod";
import {
  discordMessage,
  ntfyMessage,
  slackMessage,
  teamsMessage,
  telegramMessage,
  webhookMessage,
} from "../test/vendor-schemas.ts";
import { discordBody } from "./discord.ts";
import { ntfyBody, ntfyServer } from "./ntfy.ts";
import { slackBody } from "./slack.ts";
import { teamsBody } from "./teams.ts";
import { telegramBody } from "./telegram.ts";
import type { Shown } from "./types.ts";
import { webhookBody } from "./webhook.ts";

const MESSAGE: Shown = {
  id: "m-1",
  severity: "critical",
  language: "en",
  title: "shop has no copy on cloud since 02:14",
  text: "The newest copy is 5 h old.\n\nStill safe: local (12 min old).\n\nWhat to do: look at the tier.",
  facts: [
    ["Database", "shop"],
    ["Tier", "cloud"],
  ],
  url: "https://backups.example.org/databases/shop",
  at: new Date("2026-11-23T02:14:00Z"),
  topic: "objective-missed/shop/cloud",
};

const IN_FRENCH = {
  language: "fr",
  title: "shop n’a aucune copie assez récente sur cloud",
  text: "La plus récente date d’il y a 5 h.\n\nÀ faire\u00A0: testez le niveau.",
  facts: [["Base", "shop"]],
} as const;
const FRENCH = /Critique|Ouvrir|Tableau|Trivault, le/;

const FORMS: readonly [string, z.ZodType, (message: Shown) => object][] = [
  ["Slack", slackMessage, slackBody],
  ["Discord", discordMessage, discordBody],
  ["Teams", teamsMessage, teamsBody],
  ["Telegram", telegramMessage, (message) => telegramBody(message, "-100123")],
  ["ntfy", ntfyMessage, (message) => ntfyBody(message, "https://ntfy.sh/acme_backups-1")],
  ["the webhook", webhookMessage, webhookBody],
];

/** Words, signs that the vendors take for markup, and what is longer in one encoding than in another. */
const piece = fc.oneof(
  fc.constantFrom(
    "&",
    "<",
    ">",
    "*",
    "_",
    "`",
    "@everyone",
    "<!channel>",
    "[a](b)",
    "\n\n",
    "\n",
    "😀",
    "é",
    "\u0000",
    "</b>",
  ),
  fc.string({ unit: "grapheme", maxLength: 30 }),
);
const prose = (most: number) =>
  fc
    .tuple(fc.array(piece, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: most }))
    .map(([pieces, times]) => `x${pieces.join("").repeat(times)}`);
const messages: fc.Arbitrary<Shown> = fc.record({
  id: fc.uuid(),
  severity: fc.constantFrom("critical", "warning", "resolved", "info"),
  language: fc.constantFrom(...LANGUAGES),
  title: prose(30),
  text: prose(200),
  facts: fc.array(fc.tuple(prose(10), prose(50)), { maxLength: 40 }),
  url: fc.option(fc.constant("https://backups.example.org/databases/a%20b?x=1&y=2")),
  at: fc.constant(MESSAGE.at),
  topic: fc.constant("topic"),
});

describe.each(FORMS)("what %s gets", (_, schema, bodyOf) => {
  test("has the form that its vendor documents, and says it all", () => {
    const body = bodyOf(MESSAGE);
    expect(schema.parse(JSON.parse(JSON.stringify(body)))).toBeDefined();
    const text = JSON.stringify(body);
    for (const part of ["shop has no copy", "12 min old", "look at the tier", "Tier"]) expect(text).toContain(part);
    expect(text).toContain(MESSAGE.url);
    expect(text).not.toMatch(FRENCH);
  });

  test("speaks the language of what it says", () => {
    const text = JSON.stringify(bodyOf({ ...MESSAGE, ...IN_FRENCH }));
    expect(text).toMatch(/Base.*shop/);
    expect(text).not.toMatch(/Critical|Open the|Dashboard|2026-11-23 02:14|Base: /);
  });

  test("stays within its vendor's limits, whatever there is to say", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const parsed = schema.safeParse(JSON.parse(JSON.stringify(bodyOf(message))));
        expect(parsed.error?.issues ?? []).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

test("names that look like markup are text", () => {
  const message = { ...MESSAGE, title: "*a*", text: "<!channel> @everyone <b>x</b> [a](https://evil.example)" };
  expect(JSON.stringify(slackBody(message))).not.toMatch(/<!channel>|<b>/);
  expect(JSON.stringify(discordBody(message))).not.toMatch(/[^\\]\[a\]|[^\\]@everyone/);
  expect(JSON.stringify(telegramBody(message, "1"))).not.toMatch(/<b>x/);
});

test("what stands around a message is French where it is", () => {
  const [slack, teams, telegram, ntfy] = [
    slackBody({ ...MESSAGE, ...IN_FRENCH }),
    teamsBody({ ...MESSAGE, ...IN_FRENCH }),
    telegramBody({ ...MESSAGE, ...IN_FRENCH }, "1"),
    ntfyBody({ ...MESSAGE, ...IN_FRENCH }, "https://ntfy.sh/x"),
  ].map((body) => JSON.stringify(body).replaceAll(/[\u00A0\u202F]/g, " "));
  for (const body of [slack, teams, telegram]) {
    expect(body).toContain("Critique : shop n’a aucune copie");
    expect(body).toContain("Ouvrir le tableau de bord");
    expect(body).toContain("le 23 nov. 2026 à 02:14 UTC".slice(body === telegram ? 3 : 0));
  }
  expect(teams).toContain("Base : ");
  expect(telegram).toContain("<b>Base</b> : shop");
  expect(ntfy).toContain("Base : shop");
  expect(JSON.stringify(discordBody({ ...MESSAGE, ...IN_FRENCH }))).toContain("Critique\u00A0: shop");
});

test("ntfy's JSON goes to the server, and names the topic", () => {
  expect(ntfyServer("https://ntfy.sh/acme")).toBe("https://ntfy.sh/");
  expect(ntfyServer("https://example.org/push/acme")).toBe("https://example.org/push/");
  expect(ntfyBody(MESSAGE, "https://example.org/push/acme")).toMatchObject({ topic: "acme", priority: 5 });
});
