import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { createPrivateFile } from "@trivault/core";
import { changeAccessFile, readAccessFile } from "./access-file.ts";
import { findToken, tokenEntry } from "./entries.ts";

/** What the token of the first start is called. */
export const FIRST_TOKEN = "first";

/**
 * Where nobody stands in the access file, makes an administrator's token, so that no other account of this machine is let
 * in before its owner: in `admin-token` beside the access file, for whoever may read that (0600). Returns where it lies, for
 * as long as that token is good; `made` the first time only.
 */
export async function ensureFirstToken(
  accessFile: string,
  now: Date,
): Promise<{ readonly file: string; readonly made: boolean } | null> {
  const file = path.join(path.dirname(accessFile), "admin-token");
  let made = false;
  if (await isEmpty(accessFile)) {
    await changeAccessFile(accessFile, async (before) => {
      if (before.tokens.length + before.users.length > 0) return before;
      const { token, entry } = tokenEntry(
        { name: FIRST_TOKEN, role: "admin", createdBy: "maintenance", expiresAt: null },
        now,
      );
      await rm(file, { force: true }); // of one that was revoked
      await createPrivateFile(file, `${token}\n`);
      made = true;
      return { ...before, tokens: [entry] };
    });
  }
  return (await isGood(accessFile, file)) ? { file, made } : null;
}

async function isEmpty(accessFile: string): Promise<boolean> {
  const content = await readAccessFile(accessFile);
  return content === null || content.tokens.length + content.users.length === 0;
}

async function isGood(accessFile: string, file: string): Promise<boolean> {
  const content = await readAccessFile(accessFile);
  const text = await readFile(file, "utf8").catch(() => null); // it may have been taken away, which is fine
  return content !== null && text !== null && findToken(content, text.trim())?.name === FIRST_TOKEN;
}
