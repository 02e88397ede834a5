import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Config, resolveConfig } from "@trivault/core";
import { type DumpSlots, openDumpSlots, serverOf, waitForDumpSlot } from "./dump-slots.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "dump-slots-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
/** As one more process of the site sees them. */
function open(dumpsPerServer: number, dumpsPerSite: number, takeoverSeconds = 30): DumpSlots {
  const config = resolveConfig({}, "read");
  return openDumpSlots({
    backupDir: folder,
    limits: { ...config.limits, dumpsPerServer, dumpsPerSite },
    worker: { ...config.worker, takeoverSeconds },
  });
}

describe("dump slots", () => {
  test("of a server are shared by all processes; other servers have their own", async () => {
    const [one, other] = [open(1, 4), open(1, 4)];
    const held = await one.take("db1:5432", signal);
    expect(held).not.toBeNull();
    expect(await other.take("db1:5432", signal)).toBeNull();
    expect([await other.free("db1:5432"), await other.free("db2:5432")]).toEqual([0, 1]);
    const second = await other.take("db2:5432", signal);
    await held?.release();
    expect(await other.free("db1:5432")).toBe(1);
    await second?.release();
    expect(await readdir(path.join(folder, ".trivault/dump-limit"))).toEqual([]);
  });

  test("are bounded for the site as a whole, and a server's slot is not kept for nothing", async () => {
    const slots = open(2, 1);
    const held = await slots.take("db1:5432", signal);
    expect(await slots.take("db2:5432", signal)).toBeNull();
    expect(await slots.free("db1:5432")).toBe(0);
    await held?.release();
    expect(await slots.free("db2:5432")).toBe(1);
  });

  test("asked for at once by many, as many are had as there are", async () => {
    const taken = await Promise.all(Array.from({ length: 20 }, () => open(3, 9).take("db1:5432", signal)));
    const held = taken.filter((slot) => slot !== null);
    expect(held).toHaveLength(3);
    for (const slot of held) await slot.release();
  });

  test("of a process that died are free again after the take-over time, and not before", async () => {
    const slots = open(1, 4, 1);
    await (await slots.take("db1:5432", signal))?.release();
    const [server] = await readdirAfterTaking(slots);
    await writeFile(path.join(folder, ".trivault/dump-limit", server ?? ""), "a-dead-process 7");
    expect(await slots.take("db1:5432", signal)).toBeNull();
    for (let looks = 0; looks < 30 && (await slots.free("db1:5432")) === 0; looks++) await sleep(100);
    const taken = await slots.take("db1:5432", signal);
    expect(taken).not.toBeNull();
    await taken?.release();
  });

  test("are waited for by who has no queue", async () => {
    const slots = open(1, 4);
    const held = await slots.take("db1:5432", signal);
    const notes: string[] = [];
    const waiting = waitForDumpSlot(slots, "db1:5432", { signal, note: (line) => notes.push(line) });
    await sleep(400);
    await held?.release();
    await (await waiting).release();
    expect(notes).toEqual([expect.stringContaining("db1:5432")]);
  });
});

async function readdirAfterTaking(slots: DumpSlots): Promise<string[]> {
  const slot = await slots.take("db1:5432", signal);
  const names = await readdir(path.join(folder, ".trivault/dump-limit"));
  await slot?.release();
  return names.filter((name) => !name.startsWith("site-"));
}

test("a server is told apart by host and port, also of a database that was discovered on it", () => {
  const config: Pick<Config, "databases" | "servers"> = resolveConfig(
    { DATABASE_URL: "postgresql://u:p@db1:5433/shop" },
    "read",
  );
  expect(serverOf(config, "shop")).toBe("db1:5433");
  expect(serverOf(config, "blog")).toBeNull();
});
