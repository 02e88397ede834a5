import { TrivaultError } from "@trivault/core";
import { z } from "zod";

export const named = z.object({ name: z.string().min(1).max(255) });
export const backupRef = z.object({ id: z.string().min(1).max(255) });

export function noSuchBackup(id: string): TrivaultError {
  return new TrivaultError("NOT_FOUND", `There is no backup ${id}, as far as the audit log and the tiers show.`, {
    permanent: true,
  });
}
