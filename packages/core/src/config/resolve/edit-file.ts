import { randomUUID } from "node:crypto";
import { open, readFile, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { codeOf, TrivaultError } from "../../errors.ts";
import { ensureFolder } from "../../folders.ts";
import type { Env } from "../file/tiers.ts";
import { ConfigError } from "../model/problems.ts";
import { resolveConfig } from "./resolve.ts";
import type { Config } from "../model/types.ts";
import { yaml } from "../text/yaml-library.ts";

export interface ConfigChange {
  /** Such as `alerts`, `channels`, `ops`. */
  readonly at: readonly string[];
  /** Undefined: what stands there is taken out. */
  readonly value: unknown;
}

/** A changed configuration file that lies ready beside the one in force. */
export interface PreparedConfig {
  /** The configuration as it would be. What the environment lacks is left out of it, and named in its warnings. */
  readonly config: Config;
  readonly file: string;
  /** Puts it in force. */
  commit(): Promise<void>;
  /** Leaves everything as it was. */
  discard(): Promise<void>;
}

/**
 * Changes single settings of `file`, keeping its comments and order; it is made where there is none. The whole result is
 * checked before it can replace the old one: throws ConfigError where it is wrong. 0600, and whole or not at all.
 */
export async function prepareConfigChange(
  file: string,
  changes: readonly ConfigChange[],
  env: Env,
): Promise<PreparedConfig> {
  const target = await realpath(file).catch(() => path.resolve(file));
  const changed = changedText(await textOf(target), target, changes);
  await ensureFolder(path.dirname(target));
  // Beside it, since paths in it count from its folder.
  const ready = path.join(path.dirname(target), `.${path.basename(target)}.${randomUUID()}`);
  const discard = () => rm(ready, { force: true });
  try {
    const handle = await open(ready, "wx", 0o600);
    try {
      await handle.writeFile(changed);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const config = resolveConfig({ ...env, BACKUP_CONFIG: ready }, "read");
    const warnings = config.warnings.map((warning) => warning.replaceAll(ready, target));
    return {
      config: { ...config, configFile: target, warnings },
      file: target,
      commit: () => rename(ready, target),
      discard,
    };
  } catch (error) {
    await discard();
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(
      error.problems.map(({ variable, message }) => ({ variable: variable.replaceAll(ready, target), message })),
      target,
    );
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "";
    throw error;
  }
}

function changedText(text: string, file: string, changes: readonly ConfigChange[]): string {
  const { isMap, parseDocument } = yaml();
  const document = parseDocument(text, { version: "1.2", schema: "core", prettyErrors: false });
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new TrivaultError(
      "CONFIG_INVALID",
      `${file} is not good YAML as it is, so nothing can be changed in it. Correct it first: \`npm run backup:config:check\` shows where.`,
      { permanent: true },
    );
  }
  for (const { at, value } of changes) {
    if (value === undefined) document.deleteIn(at);
    else document.setIn(at, document.createNode(value));
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
