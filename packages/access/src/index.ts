export { type Access, type AccessOptions, type Members, openAccess } from "./access.ts";
export {
  addUser,
  createToken,
  type Enrolment,
  expectUser,
  type NewToken,
  type NewUser,
  removeUser,
  resetUser,
  revokeToken,
} from "./entries.ts";
export { ensureFirstToken, FIRST_TOKEN } from "./first-token.ts";
export { type ListedToken, type ListedUser, listTokens, listUsers } from "./lists.ts";
export { type LoginResult } from "./login.ts";
export { checkPassword, type Cost, SHORTEST_PASSWORD } from "./passwords.ts";
export { IDLE_MS, type Session, SESSION_MS } from "./sessions.ts";
export { type Identity, mayAct, type Role, ROLES } from "./types.ts";
