import { readFileSync, statSync } from "node:fs";
import type { Document, LineCounter, Node } from "yaml";
import type { z } from "zod";
import { hidePasswords } from "../../hide-passwords.ts";
import { looksSecret } from "../text/key-text.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { type FileContent, fileSchema } from "./schema.ts";
import type { Problem } from "../model/problems.ts";
import { yaml } from "../text/yaml-library.ts";

const MAX_BYTES = 1024 * 1024;
/** Uses of one anchor, multiplied where they nest: enough for each of a thousand databases, too few for an alias bomb. */
const MAX_ALIASES = 2000;
/** A file that is wrong altogether is described by its first mistakes. */
const MAX_PROBLEMS = 50;
/** Fields whose value is never shown, right or wrong. */
const SECRET = /^(?:url|accessKeyId|secretAccessKey|password|token|botToken|secret)(?:Env)?$/;

export interface ConfigFile {
  readonly path: string;
  /** What of it is right; a part with a problem is left out. */
  readonly content: FileContent;
  /** The keys of a map in it, with those that have a problem. */
  keysOf(...at: string[]): readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  /** A problem with what stands there. */
  problem(at: readonly PropertyKey[], message: string): Problem;
}

/** Reads and checks a configuration file by itself; what its names refer to is for others to check. */
export function readConfigFile(file: string): ConfigFile {
  const found = readText(file);
  if ("problem" in found) return unreadable(file, { variable: file, message: found.problem });
  const { LineCounter: Lines, parseDocument } = yaml();
  const lines = new Lines();
  const document = parseDocument(found.text, {
    version: "1.2",
    schema: "core",
    stringKeys: true,
    // Its own pretty errors quote the line, which may hold a password.
    prettyErrors: false,
    lineCounter: lines,
    logLevel: "error",
  });
  const syntax = [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS).map(({ message, pos }) => ({
    variable: `${file}:${lines.linePos(pos[0]).line}`,
    message: `is not good YAML: ${hidePasswords(message.split(/: |\n/)[0] ?? "")}.`,
  }));
  if (syntax.length > 0) return unreadable(file, ...syntax);
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    const message = `is not good YAML: ${messageOf(error).split(/: |\n/)[0]}.`;
    return unreadable(file, { variable: file, message });
  }
  const problem = (at: readonly PropertyKey[], message: string): Problem => {
    const line = lineOf(document, lines, at);
    return { variable: pathText(at) || file, message: line === null ? message : `(line ${line}) ${message}` };
  };
  const prototypes = pathsOfPrototypes(document).map((offset) => ({
    variable: `${file}:${lines.linePos(offset).line}`,
    message: "__proto__ cannot be a name here.",
  }));
  if (prototypes.length > 0) return unreadable(file, ...prototypes);
  const { content, issues } = parseTolerantly(raw);
  const problems = issues.flatMap((issue) => problemsOf(issue, raw)).map(([at, message]) => problem(at, message));
  return {
    path: file,
    content,
    keysOf: (...at) => keysOf(valueAt(raw, at)),
    problems: problems.slice(0, MAX_PROBLEMS),
    warnings: warnings(file, found.mode, content),
    problem,
  };
}

function unreadable(path: string, ...problems: Problem[]): ConfigFile {
  const problem = (at: readonly PropertyKey[], message: string) => ({ variable: pathText(at), message });
  return { path, content: {}, keysOf: () => [], problems, warnings: [], problem };
}

function readText(file: string): { text: string; mode: number } | { problem: string } {
  try {
    const stats = statSync(file);
    // Asked first: a pipe would be waited for.
    if (!stats.isFile()) return { problem: "is not a file: expected a YAML file, such as ./trivault.config.yaml." };
    if (stats.size > MAX_BYTES) return { problem: "is larger than 1 MiB: expected a configuration file." };
    return { text: readFileSync(file, "utf8"), mode: stats.mode };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { problem: "does not exist; BACKUP_CONFIG says where it is." };
    return { problem: `cannot be read (${messageOf(error)}). Make it readable for this user.` };
  }
}

/** What is wrong, and what is left of it without that, so that the rest can be checked further. */
function parseTolerantly(raw: unknown): { content: FileContent; issues: z.core.$ZodIssue[] } {
  let parsed = fileSchema.safeParse(raw);
  const issues = parsed.error?.issues ?? [];
  const rest = structuredClone(raw);
  // What is wrong itself; then the channel, tier, database or server that lacks it; then the section.
  for (const depth of [Number.POSITIVE_INFINITY, 3, 2, 1]) {
    for (const issue of parsed.error?.issues ?? []) {
      for (const at of placesOf(issue)) remove(rest, at.slice(0, depth));
    }
    if (!parsed.success) parsed = fileSchema.safeParse(rest);
  }
  return { content: parsed.success ? parsed.data : {}, issues };
}

function placesOf(issue: z.core.$ZodIssue): (readonly PropertyKey[])[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...issue.path, key]);
  // A union's own is what was tried: all of it goes.
  return [issue.path];
}

function remove(value: unknown, at: readonly PropertyKey[]): void {
  const parent = valueAt(value, at.slice(0, -1));
  const key = at.at(-1);
  if (isRecord(parent) && key !== undefined) delete parent[String(key)];
}

function problemsOf(issue: z.core.$ZodIssue, raw: unknown): [at: readonly PropertyKey[], message: string][] {
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return issue.keys.map((key, index) => [[...issue.path, key], `${messages[index]}`]);
  }
  const value = valueAt(raw, issue.path);
  if (issue.code === "invalid_union" && isRecord(value)) {
    // The one of the ways to write it that was tried.
    const tried = issue.errors.find(
      (errors) => errors.some(({ path }) => path.length > 0) || errors[0]?.code === "unrecognized_keys",
    );
    if (tried) return tried.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, raw));
  }
  return [[issue.path, `${shown(value, issue.path)}: ${issue.message}.`]];
}

function shown(value: unknown, at: readonly PropertyKey[]): string {
  if (value === undefined) return "is missing";
  if (value === null || value === "") return "is empty";
  if (Array.isArray(value)) return "is a list";
  if (typeof value === "object") return "is a map";
  const text = JSON.stringify(value);
  const secret = SECRET.test(String(at.at(-1))) || (typeof value === "string" && looksSecret(value));
  return secret ? "is wrong (its value is hidden)" : `is ${text.length > 120 ? `${text.slice(0, 120)}…` : text}`;
}

function warnings(file: string, mode: number, content: FileContent): string[] {
  if ((mode & 0o077) === 0 || !holdsSecrets(content)) return [];
  return [
    `${file} holds secrets and can be read by other users: close it to them (chmod 600), or name environment variables (urlEnv and its like).`,
  ];
}

function holdsSecrets({ databases = {}, servers = {}, mail, alerts }: FileContent): boolean {
  const entries = [...Object.values(databases), ...Object.values(servers)];
  if (entries.some(({ url = "" }) => hidePasswords(url) !== url)) return true;
  // Whoever knows the URL of a webhook may post to it.
  const parts = [mail ?? {}, alerts?.deadMan ?? {}, ...Object.values(alerts?.channels ?? {})];
  return parts.some((part) => ["url", "password", "token", "botToken", "secret"].some((key) => key in part));
}

/** The line of the deepest part of a path that there is. */
function lineOf(document: Document, lines: LineCounter, at: readonly PropertyKey[]): number | null {
  const { isAlias, isMap, isScalar, isSeq } = yaml();
  let node = document.contents as Node | null | undefined;
  let offset: number | null = null;
  for (const key of at) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = node.items[Number(key)] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else break;
  }
  return offset === null ? null : lines.linePos(offset).line;
}

/** Keys called `__proto__`, which a check of plain objects would pass over. */
function pathsOfPrototypes(document: Document): number[] {
  const { isScalar, visit } = yaml();
  const offsets: number[] = [];
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && pair.key.value === "__proto__") offsets.push(pair.key.range?.[0] ?? 0);
    },
  });
  return offsets;
}

/** `databases.shop.tiers[0]`, `databases["my shop"].url`. */
export function pathText(at: readonly PropertyKey[]): string {
  let text = "";
  for (const key of at) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[\w-]+$/.test(String(key))) text += text === "" ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value) : [];
}

function valueAt(value: unknown, at: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of at) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
}
