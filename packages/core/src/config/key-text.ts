/** `env:BACKUP_SSH_KEY`: stands where a path would, for a key that is given itself. */
const REFERENCE = /^env:([A-Z][A-Z0-9_]{0,63})$/;

/** A private key: PEM or an age identity, or how either begins in base64 (OpenSSH's, PKCS#8 Ed25519's). */
const KEY = /-----BEGIN |AGE-SECRET-KEY-|^LS0tLS1CRUdJTi|^b3BlbnNzaC1rZXktdjE|^MC4CAQAwBQYDK2VwBCIE/i;

/** What cannot be meant as a path, and is shown and recorded nowhere: a key, any text of several lines, a URL with a password. */
export function looksSecret(text: string): boolean {
  return KEY.test(text) || /[\r\n]/.test(text) || /:\/\/[^/\s]{0,1000}@/.test(text);
}

/** Whether a variable holds the key itself, where a path is usual: containers often have nothing but variables. */
export function isKeyText(text: string): boolean {
  return /^\s*-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----/.test(text) || /^[^\S\n]*AGE-SECRET-KEY-1/im.test(text);
}

/** The reference goes everywhere that a path goes: the key stays in the environment of this process. */
export function referenceTo(variable: string): string {
  return `env:${variable}`;
}

export function isReference(file: string): boolean {
  return REFERENCE.test(file);
}

/** The key that `file` refers to; null where `file` is a path. */
export function keyOfEnvironment(file: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const variable = REFERENCE.exec(file)?.[1];
  const text = variable === undefined ? undefined : env[variable];
  if (text === undefined) return null;
  // Some settings pages take one line only, with "\n" written out; a PEM key ends with a line break.
  const lines = text.includes("\n") ? text : text.replaceAll(String.raw`\n`, "\n");
  return lines.endsWith("\n") ? lines : `${lines}\n`;
}
