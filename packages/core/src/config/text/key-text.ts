import { TrivaultError } from "../../errors.ts";

/** `env:BACKUP_SSH_KEY`: stands where a path would, for a key that is given itself. */
const REFERENCE = /^env:([A-Z][A-Z0-9_]{0,63})$/;

/** A private key: PEM, PuTTY's or an age identity. */
const KEY = /-----BEGIN |PuTTY-User-Key-File|AGE-SECRET-KEY-/i;
/** How one begins in base64, without the lines around it: PEM itself, OpenSSH's, PKCS#8 of Ed25519, and DER of RSA and others. */
const BASE64_KEY = /^\s*(?:LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdjE|MC4CAQAwBQYDK2VwBCIE|MII[A-Za-z0-9+/]{20})/;

/** A token of the API's. */
const TOKEN = /^\s*tv_[\w-]{43}\s*$/;

/** What cannot be meant as a path, and is shown and recorded nowhere: a key, any text of several lines, a URL with a password. */
export function looksSecret(text: string): boolean {
  return (
    KEY.test(text) ||
    BASE64_KEY.test(text) ||
    TOKEN.test(text) ||
    /[\r\n]/.test(text) ||
    /:\/\/[^/\s]{0,1000}@/.test(text)
  );
}

/** Whether a variable holds the key itself, where a path is usual: containers often have nothing but variables. */
export function isKeyText(text: string): boolean {
  return /^\s*-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----/.test(text) || /^[^\S\n]*AGE-SECRET-KEY-1/im.test(text);
}

/**
 * The name of a variable, as a message may show it. One that is not written as such names usually are may be the secret itself,
 * given where the name of its variable belongs.
 */
export function shownVariable(name: string): string {
  const usual = /^[A-Z][A-Z0-9_]{0,99}$/.test(name) && (name.includes("_") || name.length <= 12);
  return usual ? name : "a variable (its name is hidden, as it may be the secret itself)";
}

/** The reference goes everywhere that a path goes: the key stays in the environment of this process. */
export function referenceTo(variable: string): string {
  return `env:${variable}`;
}

export function isReference(file: string): boolean {
  return variableOf(file) !== null;
}

/** The variable that `file` refers to; null where `file` is a path. */
export function variableOf(file: string): string | null {
  return REFERENCE.exec(file)?.[1] ?? null;
}

/** The key that `file` refers to; null where `file` is a path. KEY_FILE where its variable is not set: it names no file to be made. */
export function keyOfEnvironment(file: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const variable = variableOf(file);
  if (variable === null) return null;
  const text = env[variable];
  if (text === undefined) {
    const message = `The key is to be in the variable ${shownVariable(variable)}, which is not set. Set it for this process.`;
    throw new TrivaultError("KEY_FILE", message, { permanent: true });
  }
  // Some settings pages take one line only, with "\n" written out; a PEM key ends with a line break.
  const lines = text.includes("\n") ? text : text.replaceAll(String.raw`\n`, "\n");
  return lines.endsWith("\n") ? lines : `${lines}\n`;
}
