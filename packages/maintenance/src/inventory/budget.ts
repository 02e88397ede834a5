import { formatBytes, type TierConfig } from "@trivault/core";
import type { InventoryCopy } from "./inventory.ts";

export interface BudgetState {
  /** `stop`: it is over its budget, and copies to it are refused. */
  readonly state: "none" | "ok" | "warn" | "stop";
  readonly usedBytes: number;
  readonly budgetBytes: number | null;
  /** For people, where it is over its budget. */
  readonly message: string | null;
}

/** By what lies there, whole or not: that is what is paid for. */
export function checkBudget(
  { name, budget }: Pick<TierConfig, "name" | "budget">,
  { copies }: { readonly copies: readonly Pick<InventoryCopy, "bytes">[] },
): BudgetState {
  const usedBytes = copies.reduce((sum, { bytes }) => sum + bytes, 0);
  if (budget === null) return { state: "none", usedBytes, budgetBytes: null, message: null };
  if (usedBytes <= budget.bytes) return { state: "ok", usedBytes, budgetBytes: budget.bytes, message: null };
  const over = `The tier ${name} holds ${formatBytes(usedBytes)}, more than its budget of ${formatBytes(budget.bytes)}`;
  const then = budget.whenFull === "stop" ? ", and takes no more copies" : "";
  return {
    state: budget.whenFull,
    usedBytes,
    budgetBytes: budget.bytes,
    message: `${over}${then}. Keep fewer backups there (its retention), or raise the budget.`,
  };
}
