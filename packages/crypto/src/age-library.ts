import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Loaded at its first use: it takes longer than a command that opens and seals nothing takes in all. */
export function age(): typeof import("age-encryption") {
  return require("age-encryption") as typeof import("age-encryption");
}
