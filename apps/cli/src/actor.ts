import { hostname, userInfo } from "node:os";

/** Who gives a command, for the audit log: `user:<login>@<host>`. */
export function actor(): string {
  return `user:${login()}@${hostname()}`;
}

/** In a container a user may have no name. */
function login(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
}
