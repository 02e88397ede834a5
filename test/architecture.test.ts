import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { RULES } from "./architecture/rules.ts";
import { importsOf, readSourceTree, sourceTree } from "./architecture/source-tree.ts";

const ROOT = path.dirname(import.meta.dirname);

describe("the repository", () => {
  const tree = readSourceTree(ROOT);

  test("is seen whole", () => {
    expect(tree.manifests.size).toBeGreaterThanOrEqual(11);
    const keys = tree.files.find((file) => file.path === "packages/core/src/keys.ts");
    expect(keys?.imports).toEqual(["./errors.ts", "./ids.ts"]);
  });

  test.each(Object.entries(RULES))("keeps the rule: %s", (_, rule) => {
    expect(rule(tree)).toEqual([]);
  });

  test("has a lockfile that npm ci accepts on every system", () => {
    const check = [path.join(ROOT, "scripts/complete-lockfile.mjs"), "--check"];
    const { status, stderr } = spawnSync(process.execPath, check, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("each rule fires", () => {
  const core = { "packages/core/package.json": manifest("core"), "packages/core/src/index.ts": "" };
  const storage = (files: Record<string, string>, dependencies = { "@trivault/core": "0.1.0" }) => ({
    ...core,
    "packages/storage/package.json": manifest("storage", dependencies),
    ...prefixed("packages/storage/src/", files),
  });

  test.each<[keyof typeof RULES, string, Record<string, string>, string]>([
    [
      "arrows",
      "up",
      { ...core, "packages/core/src/a.ts": 'import { x } from "@trivault/storage";' },
      "may not import @trivault/storage",
    ],
    [
      "arrows",
      "sideways, by type",
      storage({ "a.ts": 'import type { x } from "@trivault/crypto";' }),
      "may not import @trivault/crypto",
    ],
    [
      "folders",
      "up, inside a package",
      {
        ...core,
        "packages/maintenance/package.json": manifest("maintenance"),
        "packages/maintenance/src/inventory/a.ts": 'import { b } from "../upkeep/b.ts";',
      },
      "may not import the folder upkeep",
    ],
    [
      "folders",
      "sideways, between actions",
      { "apps/cli/src/actions/tiers/list.ts": 'import { logs } from "../audit/logs.ts";' },
      "may not import the folder audit",
    ],
    [
      "folders",
      "from what actions share",
      { "apps/cli/src/actions/shared/with-site.ts": 'import { logs } from "../audit/logs.ts";' },
      "may not import the folder audit",
    ],
    [
      "lazyActions",
      "with its command",
      { "apps/cli/src/commands/audit.ts": 'import { logs } from "../actions/audit/logs.ts";' },
      "before its command runs",
    ],
    [
      "arrows",
      "to the testkit",
      storage({ "a.ts": 'export * from "@trivault/testkit";' }),
      "may not import @trivault/testkit",
    ],
    [
      "arrows",
      "from an app to the testkit",
      { "apps/cli/src/main.ts": 'import "@trivault/testkit";' },
      "may not import @trivault/testkit",
    ],
    ["entryPoints", "deep", storage({ "a.ts": 'import { x } from "@trivault/core/src/keys.ts";' }), "is no entry"],
    [
      "entryPoints",
      "by path",
      storage({ "a.ts": 'import { x } from "../../core/src/keys.ts";' }),
      "reaches out of its package",
    ],
    ["ownIndex", "by path", storage({ "s3/a.ts": 'import { x } from "../index.ts";' }), "its own package's entry"],
    ["ownIndex", "by name", storage({ "a.ts": 'import { x } from "@trivault/storage";' }), "its own package's entry"],
    [
      "confined",
      "bullmq",
      { "packages/cluster/src/a.ts": 'import type { Job } from "bullmq";' },
      "may not import bullmq",
    ],
    [
      "confined",
      "bullmq in an app",
      { "apps/api/src/routes.ts": 'import { Queue } from "bullmq";' },
      "may not import bullmq",
    ],
    ["confined", "fastify", { "apps/worker/src/main.ts": 'import fastify from "fastify";' }, "may not import fastify"],
    [
      "confined",
      "its plugins",
      { "packages/queue/src/a.ts": 'import x from "@fastify/swagger";' },
      "may not import @fastify/swagger",
    ],
    [
      "confined",
      "commander",
      { "apps/api/src/main.ts": 'import { Command } from "commander";' },
      "may not import commander",
    ],
    [
      "declared",
      "missing",
      storage({ "a.ts": 'import { z } from "zod";' }),
      "imports zod, which its package.json does not declare",
    ],
    ["declared", "missing, dynamic", storage({ "a.ts": 'const x = await import("pg");' }), "imports pg"],
    ["used", "idle", storage({ "a.ts": "" }), "packages/storage/package.json: declares @trivault/core"],
    [
      "exactVersions",
      "range",
      storage({}, { "@trivault/core": "^0.1.0" }),
      "@trivault/core has no exact version (^0.1.0)",
    ],
    ["fileSize", "too long", storage({ "a.ts": "x;\n".repeat(301) }), "301 lines"],
    [
      "cycles",
      "of values",
      storage({ "a.ts": 'import "./b.ts";', "b.ts": 'import "./a.ts";' }),
      "packages/storage/src/a.ts → packages/storage/src/b.ts → packages/storage/src/a.ts",
    ],
    [
      "cycles",
      "of types",
      storage({ "a.ts": 'import type { B } from "./b.ts";', "b.ts": 'export type { A } from "./a.ts";' }),
      "a.ts → ",
    ],
    [
      "cycles",
      "across packages",
      {
        "packages/core/src/index.ts": 'export * from "@trivault/queue";',
        "packages/queue/src/index.ts": 'import "@trivault/core";',
      },
      "packages/core/src/index.ts → packages/queue/src/index.ts",
    ],
    [
      "madeFolders",
      "by Node alone",
      storage({ "a.ts": "await mkdir(folder, { recursive: true });" }),
      "a.ts: makes a folder by itself",
    ],
    [
      "sharedHooks",
      "of one suite only",
      storage({ "testing/site.ts": "afterEach(async () => close());" }),
      "registers afterEach as it is loaded",
    ],
    [
      "promises",
      "joined later",
      storage({ "a.ts": "const sent = send();\nawait other();\nawait sent;" }),
      "`sent` keeps a promise",
    ],
    [
      "promises",
      "of a field or a loop",
      storage({
        "a.ts": "let last: Promise<void> = Promise.resolve();\nlast = work(\n  x,\n);\nawait Promise.all([a, last]);",
      }),
      "`last` keeps a promise",
    ],
  ])("%s: %s", (rule, _, files, expected) => {
    expect(RULES[rule](sourceTree(files)).join("\n")).toContain(expected);
  });

  test("and is quiet where nothing is wrong", () => {
    const tree = sourceTree({
      ...storage({
        "index.ts": 'export * from "./a.ts";',
        "a.ts": 'import { x } from "@trivault/core";\nimport fs from "node:fs";\n',
        "b.ts": "const sent = background(send());\nconst text = await read();\nawait sent;",
        "a.test.ts": 'import { test } from "@jest/globals";\nimport { y } from "@trivault/testkit";\nimport "./a.ts";',
      }),
      "package.json": JSON.stringify({ name: "trivault", devDependencies: { "@jest/globals": "30.5.2" } }),
      "apps/api/package.json": manifest("api", { fastify: "5.12.8" }),
      "apps/api/src/main.ts": 'import fastify from "fastify";',
    });
    for (const [name, rule] of Object.entries(RULES))
      expect({ name, problems: rule(tree) }).toEqual({ name, problems: [] });
  });
});

test("imports are read in all their forms, and only they", () => {
  const text = `
import a from "a";
import type { B } from "b";
import c, { type D } from "c";
import * as e from "e";
import "f";
export * from "g";
export * as h from "h";
export {
  type I,
  j,
} from "i";
const k = await import("k");
// import no from "no";
const l = 'import m from "no"';
export const n = [1, 2]; // from "no"
`;
  expect([...importsOf(text)].toSorted()).toEqual(["a", "b", "c", "e", "f", "g", "h", "i", "k"]);
});

function manifest(name: string, dependencies: Record<string, string> = {}): string {
  return JSON.stringify({ name: `@trivault/${name}`, exports: "./src/index.ts", dependencies });
}

function prefixed(prefix: string, files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${prefix}${name}`, text]));
}
