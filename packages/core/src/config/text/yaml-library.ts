import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Loaded where a configuration file is read: its 70 files take a short command longer than all that it does. */
export function yaml(): typeof import("yaml") {
  return require("yaml") as typeof import("yaml");
}
