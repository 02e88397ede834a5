import { createRequire } from "node:module";
import type * as Age from "age-encryption";

const require = createRequire(import.meta.url);

/** Loaded at its first use: it takes longer than a command that opens and seals nothing takes in all. */
export function age(): typeof Age {
  return require("age-encryption") as typeof Age;
}
