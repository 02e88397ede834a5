import type { S3TierConfig } from "@trivault/core";
import type { LifecycleOptions, LifecycleResult } from "./s3-lifecycle.ts";

/** See s3-lifecycle.ts, which is loaded, with the library for S3, where there is such a tier. */
export async function applyLifecycle(config: S3TierConfig, options: LifecycleOptions = {}): Promise<LifecycleResult> {
  return (await import("./s3-lifecycle.ts")).applyLifecycle(config, options);
}
