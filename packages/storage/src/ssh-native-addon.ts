import { createRequire } from "node:module";

/** False where ssh2 has to encrypt without its native addon, at about half the speed. */
export function sshNativeAddonLoaded(): boolean {
  const crypto: unknown = createRequire(import.meta.url)("ssh2/lib/protocol/crypto.js");
  return (
    typeof crypto === "object" && crypto !== null && "bindingAvailable" in crypto && crypto.bindingAvailable === true
  );
}
