import type { Role } from "@trivault/access";
import { Option } from "commander";

/** Stands here too, as each start of the program would else load all that logins need. */
const ROLES: readonly Role[] = ["viewer", "operator", "admin"];
const TEXT = "viewer: looks; operator: backs up, verifies, restores; admin: everything";

export function roleOption(prefix = ""): Option {
  return new Option("--role <role>", prefix + TEXT).choices(ROLES);
}
