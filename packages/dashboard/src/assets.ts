import { createRequire } from "node:module";
import path from "node:path";
import type { AssetName } from "./view.ts";

export interface AssetFile {
  readonly path: string;
  readonly type: string;
}

const OURS = path.resolve(import.meta.dirname, "../assets");
/** As the package is resolved for programs, its browser builds lie beside. */
const UPLOT = path.dirname(createRequire(import.meta.url).resolve("uplot"));

/** Where the files that pages load lie on this disk: our own, and those of npm packages. */
export function assetFiles(): Readonly<Record<AssetName, AssetFile>> {
  const script = (file: string) => ({ path: file, type: "text/javascript; charset=utf-8" });
  const style = (file: string) => ({ path: file, type: "text/css; charset=utf-8" });
  return {
    "app.css": style(path.join(OURS, "app.css")),
    "app.js": script(path.join(OURS, "app.js")),
    "charts.js": script(path.join(OURS, "charts.js")),
    "favicon.svg": { path: path.join(OURS, "favicon.svg"), type: "image/svg+xml" },
    "live.js": script(path.join(OURS, "live.js")),
    "theme.js": script(path.join(OURS, "theme.js")),
    "uPlot.css": style(path.join(UPLOT, "uPlot.min.css")),
    "uPlot.js": script(path.join(UPLOT, "uPlot.iife.min.js")),
  };
}
