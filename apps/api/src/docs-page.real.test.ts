import { expect, test } from "@jest/globals";
import { appUnderTest, BEARER, TOKEN } from "../test/app-under-test.ts";
import { openBrowser } from "../test/browser.ts";

test("/docs shows every operation, in a browser that holds its policy and asks no foreign host", async () => {
  const { app } = appUnderTest();
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  await using browser = await openBrowser();
  await using tab = await browser.open({ extraHTTPHeaders: BEARER });
  const answer = await tab.page.goto(`${url}/docs`);
  expect(answer?.status()).toBe(200);
  expect(answer?.headers()["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self';/);
  await tab.page.getByText("/api/v1/backups/{id}/restore").first().click();
  await tab.page.getByText("shop_restored").first().waitFor();
  expect(await tab.page.locator(".opblock").count()).toBeGreaterThan(35);
  await tab.shoot("api-docs", false);
  expect(tab.offences).toEqual([]);
  expect(await tab.page.content()).not.toContain(TOKEN);
}, 90_000);
