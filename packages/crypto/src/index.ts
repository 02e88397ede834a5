export { type IdentityFile, type KeyPair, generateKeys, readIdentityFile, writeIdentityFile } from "./identity-file.ts";
export { judgeManifest } from "./judge-manifest.ts";
export { type Opener, createOpener } from "./opener.ts";
export { checkRecipients } from "./recipients.ts";
export { type SealedSegment, type Sealer, createSealer } from "./sealer.ts";
export {
  type ManifestTrust,
  type SigningKey,
  checkManifest,
  isPublicKey,
  signManifest,
  verifySignature,
} from "./signature.ts";
export { loadOrCreateSigningKey, loadSigningKey } from "./signing-key.ts";
