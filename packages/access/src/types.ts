/** What somebody may do; each role may do all that those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who sends a request. */
export interface Identity {
  /** As in the audit log: `token:<name>`, `user:<name>`, `token:loopback`. */
  readonly actor: string;
  readonly role: Role;
  readonly via: "token" | "session" | "loopback";
}

export function mayAct(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
