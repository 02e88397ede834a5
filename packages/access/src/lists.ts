import { type AccessContent, readAccessFile, type TokenEntry, type UserEntry } from "./access-file.ts";
import { silentLogger } from "@trivault/core";
import { openStateFile, stateFileOf } from "./state-file.ts";

export type ListedToken = Omit<TokenEntry, "hash"> & {
  readonly expired: boolean;
  /** To ten minutes. */
  readonly lastUsedAt: string | null;
};
export type ListedUser = Pick<UserEntry, "name" | "role" | "createdAt" | "createdBy"> & {
  readonly lastLoginAt: string | null;
  readonly recoveryCodesLeft: number;
};

/** Nothing in it is secret. */
export async function listTokens(file: string, now: Date): Promise<ListedToken[]> {
  const { tokens, state } = await look(file);
  return tokens.map(({ hash: _hash, ...token }) => ({
    ...token,
    expired: token.expiresAt !== null && now.getTime() >= Date.parse(token.expiresAt),
    lastUsedAt: since(token.createdAt, state.tokensUsed.get(token.name)),
  }));
}

export async function listUsers(file: string): Promise<ListedUser[]> {
  const { users, state } = await look(file);
  return users.map(({ name, role, createdAt, createdBy, recoveryCodes }) => ({
    name,
    role,
    createdAt,
    createdBy,
    lastLoginAt: since(createdAt, state.logins.get(name)),
    recoveryCodesLeft: recoveryCodes.length,
  }));
}

/** What was known of another one of that name is nothing about this one. */
function since(createdAt: string, at: string | undefined): string | null {
  return at !== undefined && at >= createdAt ? at : null;
}

async function look(file: string) {
  const content: Pick<AccessContent, "tokens" | "users"> = (await readAccessFile(file)) ?? { tokens: [], users: [] };
  const state = await openStateFile(stateFileOf(file), () => new Date(), silentLogger()).read();
  return { ...content, state };
}
