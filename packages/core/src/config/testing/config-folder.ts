import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "@jest/globals";
import type { Env } from "../file/tiers.ts";
import { ConfigError } from "../model/problems.ts";
import { type Purpose, resolveConfig } from "../resolve/resolve.ts";
import type { Config } from "../model/types.ts";

const RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
export const BASE: Env = { BACKUP_ENCRYPTION_RECIPIENTS: RECIPIENT, BACKUP_DIR: "/backups" };

/** A folder with a trivault.config.yaml, read as the programs read it. */
export interface ConfigFolder {
  readonly folder: string;
  readonly file: string;
  readonly resolve: (yaml: string, env?: Env, purpose?: Purpose) => Promise<Config>;
  /** As `databases.shop.url (line 2) is missing: …`; the password of the tests is in none of them. */
  readonly problems: (yaml: string, env?: Env, purpose?: Purpose) => Promise<string[]>;
  readonly remove: () => Promise<void>;
}

export async function makeConfigFolder(): Promise<ConfigFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), "tv-config-"));
  const file = path.join(folder, "trivault.config.yaml");
  const around = { cwd: folder, home: "/home/ann", memoryDir: "/dev/shm" };
  const resolve: ConfigFolder["resolve"] = async (yaml, env = {}, purpose = "backup") => {
    await writeFile(file, yaml, { mode: 0o600 });
    return resolveConfig({ ...BASE, ...env }, purpose, around);
  };
  return {
    folder,
    file,
    resolve,
    problems: async (yaml, env, purpose) => {
      try {
        await resolve(yaml, env, purpose);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.message).not.toContain("hunter2");
        expect(error.message).toContain(file);
        return error.problems.map(({ variable, message }) => `${variable} ${message}`);
      }
      return [];
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
