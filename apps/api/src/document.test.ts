import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "@jest/globals";
import { openApiDocument, operationsOf } from "../test/api-operations.ts";
import { appUnderTest, BEARER, closeApps } from "../test/app-under-test.ts";
import { clientSource } from "../test/client-source.ts";

afterEach(closeApps);

/** `npm run api:document` sets it: then these files are written, and not compared. */
const WRITES = process.env["API_DOCUMENT"] === "write";
const DOCUMENT = path.resolve("docs/openapi.json");
const CLIENT = path.resolve("packages/client/src/generated.ts");

async function served(): Promise<unknown> {
  const answer = await appUnderTest().app.inject({ url: "/api/v1/openapi.json", headers: BEARER });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

/** As `npm run format` has it. */
async function formatted(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "tv-document-"));
  try {
    const file = path.join(folder, name);
    await writeFile(file, text);
    await promisify(execFile)(path.resolve("node_modules/.bin/oxfmt"), [
      "--config",
      path.resolve(".oxfmtrc.json"),
      file,
    ]);
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.each<[file: string, make: (document: unknown) => string]>([
  [DOCUMENT, (document) => JSON.stringify(document, null, 2)],
  [CLIENT, (document) => clientSource(openApiDocument.parse(document))],
])(
  "%s is what the API serves; `npm run api:document` makes it so",
  async (file, make) => {
    const current = await formatted(path.basename(file), make(await served()));
    if (WRITES) await writeFile(file, current);
    expect(await readFile(file, "utf8")).toBe(current);
  },
  60_000,
);

test("every operation has a name of its own, a summary, a tag that is explained, and says which role it needs", async () => {
  const document = (await served()) as {
    tags: { name: string }[];
    paths: Record<string, Record<string, { tags?: string[]; description?: string; security?: unknown[] }>>;
  };
  const operations = operationsOf(openApiDocument.parse(document));
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
  const tags = document.tags.map(({ name }) => name);
  for (const [url, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const found = { url, method, tagged: operation.tags?.every((tag) => tags.includes(tag)) ?? false };
      expect(found).toEqual({ url, method, tagged: true });
      if (operation.security === undefined)
        expect(operation.description).toMatch(/Needs the role \*\*(?:viewer|operator|admin)\*\*/);
    }
  }
});

test("docs/api.md names every path", async () => {
  const page = await readFile(path.resolve("docs/api.md"), "utf8");
  const undocumented = Object.keys(openApiDocument.parse(await served()).paths).filter((each) => {
    // The paths of other pages are named by their beginning.
    const [, topic = each] = /^(\/api\/v1\/(?:alerts|reports|tokens|users))/.exec(each) ?? [];
    return !page.includes(topic);
  });
  expect(undocumented).toEqual([]);
});
