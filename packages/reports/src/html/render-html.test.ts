import { expect, test } from "@jest/globals";
import { sample } from "../../test/sample.ts";
import { buildReport } from "../build-report.ts";
import { renderReport } from "../render.ts";
import { renderHtml } from "./render-html.ts";

const made = buildReport(sample({ databases: 8 }).input);
const page = renderHtml(made);

test("holds no script, and asks for nothing", () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|<form|javascript:|\son\w+=|url\(|@import/i);
  const addresses = [...page.matchAll(/https?:\/\/[^"' <]+/g)].map(([address]) => address);
  expect(addresses).toEqual(["https://trivault.example.org"]);
});

test("is laid out by tables, as mail programs want it", () => {
  expect(page).not.toMatch(/display:\s*(?:flex|grid)|position:|float:/);
  expect(page).toContain("max-width:680px");
  expect(page.match(/<table/g)?.length).toBe(page.match(/<\/table>/g)?.length);
  expect(page).toMatch(/prefers-color-scheme: dark/);
  expect(page).toMatch(/@media print/);
});

test("each picture has its name, and its facts stand beside it as text", () => {
  const pictures = [...page.matchAll(/<svg\b[^>]*>/g)];
  expect(pictures).toHaveLength(2);
  for (const [picture] of pictures) expect(picture).toMatch(/role="img" aria-label="[^"]+"|aria-label="[^"]+"/);
  expect(page).toContain("23 Nov 1 failed, 2 missed");
});

test("names and messages are text, whatever they hold", () => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const [first, ...rest] = made.databases;
  const databases = first === undefined ? [] : [{ ...first, name: evil, problem: evil, safe: false }, ...rest];
  const failures = made.failures.map((failure) => ({ ...failure, message: evil, databases: [evil] }));
  const html = renderHtml({ ...made, databases, failures, summary: evil, link: `https://x.example/"onmouseover="x` });
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
  expect(html).not.toContain('"onmouseover');
});

test("9.C22 names and messages of strangers do nothing to a terminal, nor to the text around them", () => {
  const hostile = "shop\u001B[2J\u009B31m\nEverything is healthy.\u202E";
  const [first, ...rest] = made.databases;
  const databases = first === undefined ? [] : [{ ...first, name: hostile, problem: hostile, safe: false }, ...rest];
  const failures = made.failures.map((failure) => ({ ...failure, message: hostile, databases: [hostile] }));
  const { text, html } = renderReport({ ...made, databases, failures, summary: hostile });
  for (const form of [text, html]) {
    expect(form).toContain(String.raw`shop\x1b[2J\x9b31m\nEverything is healthy.\u202e`);
    expect(form).not.toMatch(/[^\n\P{Cc}]|[\u202A-\u202E\u2066-\u2069]/u);
  }
  expect(text).not.toMatch(/^Everything is healthy/m);
});

test("a mail of 300 databases is shorter than what mail programs cut off, and the rest is counted and attached", () => {
  const many = buildReport(sample({ databases: 300, days: 1 }).input);
  const { html, mail } = renderReport(many);
  expect(mail.isWhole).toBe(false);
  expect(Buffer.byteLength(mail.html)).toBeLessThan(100_000);
  expect(mail.html).toContain("more databases are safe");
  for (const { name } of many.databases) expect(html).toContain(name);
  // What is to be looked at is never among the rest.
  expect(mail.html).toContain("billing");
});
