import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Ceph, startCeph } from "@trivault/testkit";

/**
 * Jest's globalSetup of the `real` project: one S3 server (Ceph takes 15 seconds to start) for all suites of a run, which
 * find it by `sharedCeph()`. Not started where no chosen suite speaks of it; one that gets to it in another way still
 * works, with a server of its own.
 */
interface GlobalConfig {
  readonly rootDir: string;
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

const ROOT = path.resolve(import.meta.dirname, "../..");
let ceph: Ceph | undefined;

export default async function setup({ testPathPatterns }: GlobalConfig): Promise<void> {
  if (process.env["TRIVAULT_TEST_S3"] !== undefined || !needsS3(testPathPatterns.patterns)) return;
  ceph = await startCeph();
  const { endpoint, accessKey, secretKey } = ceph;
  process.env["TRIVAULT_TEST_S3"] = JSON.stringify({ endpoint, accessKey, secretKey });
}

export async function teardown(): Promise<void> {
  await ceph?.stop();
}

/** Patterns are what was given on the command line; none means all. */
function needsS3(patterns: readonly string[]): boolean {
  const chosen = (file: string) => patterns.length === 0 || patterns.some((each) => new RegExp(each, "i").test(file));
  const suites = globSync("{packages,apps,test}/**/*.real.test.ts", {
    cwd: ROOT,
    exclude: (name) => name === "node_modules",
  });
  return suites.some(
    (suite) => chosen(path.join(ROOT, suite)) && readFileSync(path.join(ROOT, suite), "utf8").includes("sharedCeph"),
  );
}
