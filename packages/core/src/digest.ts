import { hash } from "node:crypto";

/** Lower-case hex, as it stands in manifests. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}
