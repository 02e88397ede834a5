import { createRequire } from "node:module";
import type * as Yaml from "yaml";

const require = createRequire(import.meta.url);

/** Loaded where a configuration file is read: its 70 files take a short command longer than all that it does. */
export function yaml(): typeof Yaml {
  return require("yaml") as typeof Yaml;
}
