import { afterEach, expect, test } from "@jest/globals";
import type { Alert } from "@trivault/alerts";
import { type Language } from "@trivault/core";
import { appUnderTest, BEARER, closeApps } from "../test/app-under-test.ts";
import { quietDesk } from "../test/quiet-desk.ts";

afterEach(closeApps);

const SAID = {
  en: { title: "The backup of shop failed", text: "What it is.\n\nWhat to do.", facts: [["Databases", "shop"]] },
  fr: { title: "La sauvegarde de shop a échoué", text: "Ce qu’il y a.\n\nÀ faire.", facts: [["Bases", "shop"]] },
} as const;
const at = "2026-11-23T02:00:00.000Z";
const alertIn = (language: Language): Alert => ({
  ...SAID[language],
  id: "run-failed-1a2b3c4d",
  rule: "run-failed",
  severity: "warning",
  link: null,
  members: ["shop"],
  since: at,
  raisedAt: at,
  toldAt: at,
  silence: null,
});
const site = () =>
  appUnderTest({
    alerts: {
      ...quietDesk,
      current: (language) => [alertIn(language)],
      ended: (language) => [{ ...alertIn(language), endedAt: at }],
    },
  }).app;

test.each([
  ["", "en"],
  ["?language=en", "en"],
  ["?language=fr", "fr"],
] as const)("GET /api/v1/alerts%s speaks %s, whatever a browser prefers", async (query, language) => {
  const headers = { ...BEARER, "accept-language": language === "en" ? "fr" : "en" };
  const answer = await site().inject({ url: `/api/v1/alerts${query}`, headers });
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ alerts: [SAID[language]], ended: [SAID[language]] });
});

test("another language is refused", async () => {
  const answer = await site().inject({ url: "/api/v1/alerts?language=de", headers: BEARER });
  expect(answer.statusCode).toBe(400);
  expect(answer.body).toMatch(/language/);
});

test.each(["/", "/alerts"])("the page %s speaks its reader's language", async (url) => {
  for (const language of ["en", "fr"] as const) {
    const answer = await site().inject({ url, headers: { ...BEARER, "accept-language": language } });
    expect(answer.body).toContain(SAID[language].title);
    expect(answer.body).not.toContain(SAID[language === "en" ? "fr" : "en"].title);
  }
});
