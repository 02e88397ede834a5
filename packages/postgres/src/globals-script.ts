import type { Globals, Membership, Role } from "./globals.ts";
import { identifier, literal, setClause } from "./sql-text.ts";

/** SQLSTATEs of our own, by which `applyGlobals` knows what the script says. */
export const SAID = { made: "TV001", exists: "TV002", refused: "TV003" } as const;

/** Whatever the session has: literals mean what they say, and no name leads to somebody's function or operator. */
export const SESSION =
  "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET search_path = ''; SET client_min_messages = notice;";

/** For psql by hand: the same as `applyGlobals` does. Errors about tablespaces that exist do no harm. */
export function globalsScript(globals: Globals): string {
  return `
-- The roles that this database needs, for psql. Roles that exist are left as they are; what is not done is reported.
${SESSION}
${rolesBlock(globals)};
${globals.tablespaces.map(createTablespace).join("")}`;
}

/**
 * One statement that makes the roles. It holds to two rules, so that nobody becomes more at the target than at the source:
 *
 * - What exists at the target is neither altered, nor granted, nor granted to: a role of the same name may be another's.
 * - A role gets what it could have set for itself, and no more: no attribute that reaches beyond this database
 *   (SUPERUSER …), no setting that the target keeps for superusers.
 *
 * What is left out is raised as a warning, together with the statement that would do it.
 */
export function rolesBlock({ roles, memberships }: Globals): string {
  const known = new Set(roles.map(({ name }) => name));
  const body = [
    "DECLARE made pg_catalog.text[] := '{}';",
    "BEGIN",
    ...roles.map(makeRole),
    ...memberships.map((membership) => grant(membership, known)),
    "END",
    "",
  ].join("\n");
  let tag = "$roles$";
  while (body.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
  return `DO ${tag}\n${body}${tag}`;
}

export function createTablespace({ name, location }: Globals["tablespaces"][number]): string {
  return `CREATE TABLESPACE ${identifier(name)} LOCATION ${literal(location)};\n`;
}

function makeRole(role: Role): string {
  const name = literal(role.name);
  const shown = JSON.stringify(role.name);
  return `
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${name}) THEN
    ${say("exists", `the role ${shown} exists and is left as it is`)}
  ELSE
    ${createRole(role)}
    made := pg_catalog.array_append(made, ${name}::pg_catalog.text);
    ${say("made", `the role ${shown} is made`)}
    ${role.powers.map((power) => notDone(`the role ${shown} is made without ${power}`, `ALTER ROLE ${identifier(role.name)} ${power}`)).join("\n    ")}
    ${role.settings.map((setting) => set(role.name, setting)).join("\n    ")}
  END IF;
EXCEPTION WHEN OTHERS THEN
  ${say("refused", `the role ${shown} could not be made`, "SQLERRM")}
END;`;
}

function createRole(role: Role): string {
  const name = identifier(role.name);
  const options = [
    role.login ? "LOGIN" : "NOLOGIN",
    role.inherit ? "INHERIT" : "NOINHERIT",
    `CONNECTION LIMIT ${role.connectionLimit}`,
    ...(role.password === null ? [] : [`PASSWORD ${literal(role.password)}`]),
    ...(role.validUntil === null ? [] : [`VALID UNTIL ${literal(role.validUntil)}`]),
  ];
  const comment = role.comment === null ? "" : ` COMMENT ON ROLE ${name} IS ${literal(role.comment)};`;
  return `CREATE ROLE ${name} WITH ${options.join(" ")};${comment}`;
}

/** `user`: what anybody may set. A module that is not loaded may call its settings what it likes: those are not in the list. */
function set(role: string, setting: Role["settings"][number]): string {
  const { name } = setting;
  const statement = `ALTER ROLE ${identifier(role)} ${setClause(setting)}`;
  const what = `the setting ${JSON.stringify(name)} of the role ${JSON.stringify(role)} is left out`;
  return `BEGIN
      IF EXISTS (SELECT FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) = ${literal(name.toLowerCase())} AND context = 'user') THEN
        ${statement};
      ELSE
        ${notDone(`${what}, as it is not one that every role may set for itself here`, statement)}
      END IF;
    EXCEPTION WHEN OTHERS THEN
      ${say("refused", what, "SQLERRM")}
    END;`;
}

function grant(membership: Membership, known: ReadonlySet<string>): string {
  const { role, member } = membership;
  const statement = `GRANT ${identifier(role)} TO ${identifier(member)}${grantOptions(membership)}`;
  const [granted, grantee] = [role, member].map((name) => `${literal(name)} = ANY (made)`);
  const what = `${JSON.stringify(member)} does not become a member of ${JSON.stringify(role)}`;
  if (!known.has(role)) {
    const why = `${what}, which does not come from this backup`;
    return `IF ${grantee} THEN ${notDone(why, statement)} END IF;`;
  }
  return `
IF ${granted} AND ${grantee} THEN
  BEGIN
    ${statement};
  EXCEPTION WHEN OTHERS THEN
    ${say("refused", what, "SQLERRM")}
  END;
ELSIF ${grantee} THEN
  ${notDone(`${what}, which was not made from this backup`, statement)}
END IF;`;
}

function grantOptions({ admin, inherit, set: setRole }: Membership): string {
  if (inherit === null || setRole === null) return admin ? " WITH ADMIN OPTION" : "";
  return ` WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${setRole}`;
}

function notDone(what: string, statement: string): string {
  return say("refused", `${what}; if it shall be so: ${statement}`);
}

/** `expression` is appended: why. */
function say(kind: keyof typeof SAID, message: string, expression?: string): string {
  const level = kind === "refused" ? "WARNING" : "NOTICE";
  const more = expression === undefined ? "" : ` || ': ' || ${expression}`;
  return `RAISE ${level} USING MESSAGE = ${literal(message)}${more}, ERRCODE = '${SAID[kind]}';`;
}
