import { Worker } from "node:worker_threads";
import { messageOf } from "@trivault/core";
import type { ManifestJob } from "./manifest-thread.ts";
import { checkManifestBytes, type ManifestTrust } from "./signature.ts";

/** More takes so long that the event loop, which renews leases, shall not wait for it. */
const AT_ONCE = 1024 * 1024;

/** As `checkManifestBytes`, in a thread of its own where there are many bytes. */
export async function judgeManifest(bytes: Uint8Array, trustedKeys: readonly string[]): Promise<ManifestTrust | null> {
  if (bytes.length <= AT_ONCE) return checkManifestBytes(bytes, trustedKeys);
  const job: ManifestJob = { bytes, trustedKeys };
  const thread = new Worker(new URL("./manifest-thread.ts", import.meta.url), {
    name: "manifest",
    workerData: job,
    execArgv: [], // the process may have been started with options that a thread refuses
  });
  const { promise, resolve, reject } = Promise.withResolvers<ManifestTrust | null>();
  thread.once("message", resolve);
  thread.once("error", (cause) => reject(died(messageOf(cause), cause)));
  thread.once("exit", (code) => reject(died(`exit code ${code}`)));
  return promise;
}

function died(why: string, cause?: unknown): Error {
  return new Error(
    `The thread that checks a manifest's signature died (${why}). Nothing is known of that copy; it is read again. If it happens again, look for a lack of memory on this machine.`,
    { cause },
  );
}
