import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AssetName, assetFiles, ASSETS } from "@trivault/dashboard";
import type { App } from "../deps.ts";

const PATH = "/assets";

interface Asset {
  readonly url: string;
  readonly type: string;
  readonly content: Buffer;
}

/** Read once: together they are small. */
const assets = new Map<AssetName, Asset>();
function assetOf(name: AssetName): Asset {
  const known = assets.get(name);
  if (known) return known;
  const { path, type } = assetFiles()[name];
  const content = readFileSync(path);
  const hash = createHash("sha256").update(content).digest("base64url").slice(0, 12);
  const asset = { url: `${PATH}/${hash}/${name}`, type, content };
  assets.set(name, asset);
  return asset;
}

/** An address that changes with the content, so that browsers may keep it for ever. */
export function assetUrl(name: AssetName): string {
  return assetOf(name).url;
}

/** Serves what pages load; open to all, as the page that asks who it is needs it. */
export function serveAssets(app: App): void {
  for (const name of ASSETS) {
    const { url, type, content } = assetOf(name);
    app.get(url, { schema: { hide: true }, config: { access: "public" } }, async (_request, reply) =>
      reply.header("cache-control", "public, max-age=31536000, immutable").type(type).send(content),
    );
  }
}
