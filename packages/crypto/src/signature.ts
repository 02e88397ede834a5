import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import {
  canonicalBytes,
  type Manifest,
  rawManifest,
  type Signature,
  type SignedManifest,
  signatureSchema,
} from "@trivault/core";

/** Public keys are text: `tvsign1`, then the 32 bytes of an Ed25519 key (RFC 8032) in base64url. */
const PREFIX = "tvsign1";

/** What a worker signs manifests with. */
export interface SigningKey {
  readonly publicKey: string;
  sign(bytes: Uint8Array): Signature;
}

export type ManifestTrust = "trusted" | "unsigned" | "unknown-key" | "bad-signature";

export function signManifest(manifest: Manifest, key: SigningKey): SignedManifest {
  return { manifest, signature: key.sign(canonicalBytes(manifest)) };
}

/** Who wrote a manifest: one of `trustedKeys`, nobody who said so, somebody else, or not the one who signed it. */
export function checkManifest(signed: SignedManifest, trustedKeys: readonly string[]): ManifestTrust {
  const { manifest, signature } = signed;
  if (!signature) return "unsigned";
  if (!verifySignature(canonicalBytes(manifest), signature)) return "bad-signature";
  return trustedKeys.includes(signature.publicKey) ? "trusted" : "unknown-key";
}

/** As `checkManifest`, of the bytes of a `manifest.json` before anything is built from them; null where they are none. */
export function checkManifestBytes(bytes: Uint8Array, trustedKeys: readonly string[]): ManifestTrust | null {
  const raw = rawManifest(bytes);
  if (raw === null) return null;
  if (raw.signature === null) return "unsigned";
  const signature = parseSignature(raw.signature);
  if (signature === null) return null;
  if (!verifySignature(raw.canonical, signature)) return "bad-signature";
  return trustedKeys.includes(signature.publicKey) ? "trusted" : "unknown-key";
}

function parseSignature(text: string): Signature | null {
  try {
    return signatureSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** True where the key that the signature names made it. That says nothing about whose key it is. */
export function verifySignature(bytes: Uint8Array, signature: Signature): boolean {
  const key = parsePublicKey(signature.publicKey);
  const value = Buffer.from(signature.value, "base64");
  // One text for each signature and key: two texts that mean the same would pass for two backups or two keys.
  if (key === null || value.length !== 64 || value.toString("base64") !== signature.value) return false;
  return verify(null, bytes, key, value);
}

export function isPublicKey(text: string): boolean {
  return parsePublicKey(text) !== null;
}

export function signWith(key: KeyObject, publicKey: string, bytes: Uint8Array): Signature {
  return { algorithm: "ed25519", publicKey, value: sign(null, bytes, key).toString("base64") };
}

export function publicKeyText(privateKey: KeyObject): string {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return `${PREFIX}${x}`;
}

function parsePublicKey(text: string): KeyObject | null {
  if (!text.startsWith(PREFIX)) return null;
  const x = text.slice(PREFIX.length);
  const raw = Buffer.from(x, "base64url");
  if (raw.length !== 32 || raw.toString("base64url") !== x) return null;
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
