import { canonicalBytes, type Config, signatureSchema, siteKey, TrivaultError } from "@trivault/core";
import { type SigningKey, verifySignature } from "@trivault/crypto";
import { bytesSource, readAll, type Tier } from "@trivault/storage";
import { z } from "zod";
import { readSite, type SiteIdentity } from "./site-identity.ts";

/**
 * `SITE-<site id>.json` on a tier: that a site uses it, with the key that it signed by then. Written once, and never again, so
 * that it works where nothing may be changed or deleted. It distinguishes an empty BACKUP_DIR from a new beginning.
 */
const markSchema = z.strictObject({
  site: z.strictObject({
    format: z.literal("trivault-site"),
    id: z.string(),
    createdAt: z.iso.datetime(),
    signingKey: z.string().max(200),
  }),
  signature: signatureSchema,
});
export type SiteMark = z.infer<typeof markSchema>["site"];

const MAX_BYTES = 16 * 1024;

/** Writes nothing for a machine that is no site. */
export async function ensureSiteMark(
  config: Config,
  tier: Tier,
  signingKey: () => Promise<SigningKey>,
  signal: AbortSignal,
): Promise<void> {
  const site = await readSite(config);
  if (site === null || tier.kind === "local") return;
  if ((await tier.store.stat(siteKey(site.id), { signal })) !== null) return;
  await tier.store.put(siteKey(site.id), bytesSource(encode(site, await signingKey())), { signal });
}

/** Null for one that is not as a site wrote it: anybody may have put it there. */
export async function readSiteMark(tier: Tier, siteId: string, signal: AbortSignal): Promise<SiteMark | null> {
  try {
    const bytes = await readAll(tier.store.get(siteKey(siteId), { signal }), MAX_BYTES);
    const { site, signature } = markSchema.parse(JSON.parse(bytes.toString("utf8")));
    const signed = signature.publicKey === site.signingKey && verifySignature(canonicalBytes(site), signature);
    return signed && site.id === siteId ? site : null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TrivaultError && error.code !== "CORRUPT" && error.code !== "NOT_FOUND") throw error;
    return null;
  }
}

function encode({ id, createdAt }: SiteIdentity, key: SigningKey): Buffer {
  const site: SiteMark = { format: "trivault-site", id, createdAt, signingKey: key.publicKey };
  return Buffer.from(`${JSON.stringify({ site, signature: key.sign(canonicalBytes(site)) }, null, 1)}\n`);
}
