import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AssetName, assetFiles, ASSETS } from "@trivault/dashboard";
import type { App } from "../deps.ts";

const PATH = "/assets";

/** Serves what pages load, under addresses that change with the content, so that browsers may keep it for ever. */
export function serveAssets(app: App): (name: AssetName) => string {
  const files = assetFiles();
  const urls = new Map<AssetName, string>();
  for (const name of ASSETS) {
    const { path, type } = files[name];
    const content = readFileSync(path);
    const hash = createHash("sha256").update(content).digest("base64url").slice(0, 12);
    const url = `${PATH}/${hash}/${name}`;
    urls.set(name, url);
    app.get(url, { schema: { hide: true }, config: { access: "public" } }, async (_request, reply) =>
      reply.header("cache-control", "public, max-age=31536000, immutable").type(type).send(content),
    );
  }
  return (name) => urls.get(name) ?? PATH;
}
