import { codeOf, type Logger, publishJson, TrivaultError } from "@trivault/core";
import { z } from "zod";
import { createFileView } from "./file-view.ts";
import { type Attempts, FORGET_MS } from "./lock-out.ts";
import { withFileLock } from "./locked.ts";
import { readPrivateJson } from "./read-private.ts";

/**
 * `<access file without .json>-state.json`: what happens by itself, so that the access file changes only when somebody
 * changes it. Lost, it forgets lock-outs and logouts; nobody gets in by that who has no password.
 */
export interface AccessState {
  /** By a keyed hash of what is counted: a name may be a password that somebody typed into the wrong field. */
  readonly attempts: Map<string, Attempts>;
  /** The time step of the newest code that each user has used. */
  readonly steps: Map<string, number>;
  readonly tokensUsed: Map<string, string>;
  readonly logins: Map<string, string>;
  /** Ids of sessions that were left, until when they would have lasted. */
  readonly ended: Map<string, number>;
}

export interface StateFile {
  read(): Promise<AccessState>;
  /** One at a time, over all processes. Where it cannot be written, it holds in this process's memory. */
  update<T>(change: (state: AccessState) => T): Promise<T>;
}

const PATIENCE_MS = 3000;
const MOST_ATTEMPTS = 2000;
const MOST_ENDED = 5000;

const whole = z.int().nonnegative();
const mapOf = <T>(value: z.ZodType<T>) =>
  z.record(z.string().max(100), value).transform((record) => new Map(Object.entries(record)));
const schema = z.object({
  version: z.literal(1),
  attempts: mapOf(z.object({ failures: whole, lastAt: whole, lockedUntil: whole })),
  steps: mapOf(whole),
  tokensUsed: mapOf(z.string().max(40)),
  logins: mapOf(z.string().max(40)),
  ended: mapOf(whole),
});

export function stateFileOf(accessFile: string): string {
  return `${accessFile.replace(/\.json$/, "")}-state.json`;
}

export function openStateFile(file: string, now: () => Date, log: Logger): StateFile {
  const view = createFileView(file, readState);
  /** What could not be written yet. */
  let unsaved: AccessState | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function updateNow<T>(change: (state: AccessState) => T): Promise<T> {
    const results: T[] = [];
    try {
      await withFileLock(file, PATIENCE_MS, async () => {
        const state = unsaved ?? (await readState(file));
        results.push(change(state));
        unsaved = state;
        forget(state, now().getTime());
        await publishJson(file, { version: 1, ...asRecords(state) });
        unsaved = null;
      });
    } catch (error) {
      if (error instanceof TrivaultError && error.permanent) throw error;
      log.warn({ err: error, file }, "the state of logins could not be written; until it can, it is kept in memory");
      unsaved ??= await readState(file);
      if (results.length === 0) results.push(change(unsaved));
    }
    const [result] = results;
    return result as T;
  }

  return {
    read: async () => unsaved ?? view(),
    update(change) {
      const turn = last.then(() => updateNow(change));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function readState(file: string): Promise<AccessState> {
  try {
    return (await readPrivateJson(file, schema)) ?? schema.parse({ version: 1, ...asRecords(emptyState()) });
  } catch (cause) {
    if (codeOf(cause) === "KEY_FILE") throw cause;
    throw new TrivaultError(
      "CONFIG_INVALID",
      `${file} is damaged, so nobody can log in and no session is believed (tokens are). Remove it: with it go lock-outs, and when tokens were last used.`,
      { permanent: true, cause },
    );
  }
}

const emptyState = (): AccessState => ({
  attempts: new Map(),
  steps: new Map(),
  tokensUsed: new Map(),
  logins: new Map(),
  ended: new Map(),
});

const asRecords = ({ attempts, steps, tokensUsed, logins, ended }: AccessState) => ({
  attempts: Object.fromEntries(attempts),
  steps: Object.fromEntries(steps),
  tokensUsed: Object.fromEntries(tokensUsed),
  logins: Object.fromEntries(logins),
  ended: Object.fromEntries(ended),
});

/** However many names and addresses somebody tries, the file stays small. */
function forget({ attempts, ended }: AccessState, now: number): void {
  for (const [key, { lastAt }] of attempts) if (now - lastAt > FORGET_MS) attempts.delete(key);
  for (const [id, until] of ended) if (until < now) ended.delete(id);
  const oldest = [...attempts].toSorted(([, a], [, b]) => a.lastAt - b.lastAt);
  for (const [key] of oldest.slice(0, Math.max(0, attempts.size - MOST_ATTEMPTS))) attempts.delete(key);
  for (const id of [...ended.keys()].slice(0, Math.max(0, ended.size - MOST_ENDED))) ended.delete(id);
}
