import { createHash } from "node:crypto";
import type { Sign } from "./types.ts";

/** The same whenever an alert of this rule and subject comes back. */
export function alertId({ rule, subject }: Pick<Sign, "rule" | "subject">): string {
  return `${rule}-${createHash("sha256").update(subject).digest("hex").slice(0, 8)}`;
}
