import { parentPort, workerData } from "node:worker_threads";
import { checkManifestBytes } from "./signature.ts";

/** Whose the bytes of a manifest are. Answers once, and ends. */
export interface ManifestJob {
  readonly bytes: Uint8Array;
  readonly trustedKeys: readonly string[];
}

const { bytes, trustedKeys } = workerData as ManifestJob;
parentPort?.postMessage(checkManifestBytes(bytes, trustedKeys), []); // the empty list shows the linter that this is no window
