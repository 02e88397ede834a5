import { mayAct, type Role } from "@trivault/access";
import { type Config, type RestoreServer, TrivaultError } from "@trivault/core";

/** Why a role may not restore to a server; null: it may. Administrators may name any. */
export function whyNotAllowed({ restoreTargets }: Pick<Config, "restoreTargets">, role: Role, to: RestoreServer) {
  if (mayAct(role, "admin") || restoreTargets.includes(to)) return null;
  const which = to === "source-server" ? "The server that the backup came from" : "The restore server";
  return `${which} is no target that operators may restore to. An administrator may, or allows it: BACKUP_RESTORE_TARGETS, or restore.targets in trivault.config.yaml, names ${to}.`;
}

/** Throws NOT_ALLOWED. */
export function requireAllowed(config: Pick<Config, "restoreTargets">, role: Role, to: RestoreServer): void {
  const why = whyNotAllowed(config, role, to);
  if (why !== null) throw new TrivaultError("NOT_ALLOWED", why, { permanent: true });
}
