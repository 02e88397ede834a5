import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { FIELDS } from "../packages/core/src/config/fields.ts";

const root = path.resolve(import.meta.dirname, "..");

test("docs/configuration.md tells every setting, and none that does not exist", async () => {
  const text = await readFile(path.join(root, "docs/configuration.md"), "utf8");
  const told = new Set(text.matchAll(/`((?:BACKUP|WORKER|DATABASE|REDIS|LOG)_[A-Z0-9_]+)/g).map((match) => match[1]));
  expect(told).toEqual(new Set(Object.keys(FIELDS)));
});

test("every file that the README and the docs link to exists", async () => {
  for (const page of ["README.md", "docs/architecture.md", "docs/configuration.md"]) {
    const text = await readFile(path.join(root, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)) {
      const file = path.resolve(root, path.dirname(page), target);
      await expect(readFile(file).catch((error: NodeJS.ErrnoException) => error.code)).resolves.not.toBe("ENOENT");
    }
  }
});
