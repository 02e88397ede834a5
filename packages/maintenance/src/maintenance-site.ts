import type { Site } from "@trivault/backup";
import type { Recorder } from "@trivault/audit";

/** A site that puts itself in order, and says in the audit log what it did and noticed. */
export type MaintenanceSite = Site & { readonly record: Recorder };
