export { type Identity, mayAct, type Role, ROLES } from "./types.ts";
