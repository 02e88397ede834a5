import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type Config, resolveConfig } from "@trivault/core";
import { type DumpSlots, inDumpSlot, openDumpSlots, serverOf } from "./dump-slots.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "dump-slots-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const one = { database: "shop", server: "db1:5432" };
const two = { database: "blog", server: "db2:5432" };
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
    const [here, other] = [open(1, 4), open(1, 4)];
    const held = await here.take({ ...one, database: "wiki" }, signal);
    expect(held).not.toBeNull();
    expect(await other.take(one, signal)).toBeNull();
    expect(await other.fitting([one, two, { ...two, database: "wiki" }])).toEqual([two]);
    const second = await other.take(two, signal);
    await held?.release();
    expect(await other.fitting([one])).toEqual([one]);
    await second?.release();
    expect(await readdir(path.join(folder, ".trivault/dump-limit"))).toEqual([]);
  });

  test("are bounded for the site as a whole, and a server's slot is not kept for nothing", async () => {
    const slots = open(2, 1);
    const held = await slots.take(one, signal);
    expect(await slots.take(two, signal)).toBeNull();
    expect(await slots.fitting([one])).toEqual([]);
    await held?.release();
    expect(await slots.fitting([two, one])).toEqual([two]);
  });

  test("of a database there is one, however many its server has", async () => {
    const [here, other] = [open(3, 9), open(3, 9)];
    const held = await here.take(one, signal);
    expect(await other.fitting([one, { ...one, database: "wiki" }])).toEqual([{ ...one, database: "wiki" }]);
    expect(await other.take(one, signal)).toBeNull();
    const second = await other.take({ ...one, database: "wiki" }, signal);
    expect(second).not.toBeNull();
    for (const slot of [held, second]) await slot?.release();
  });

  test("asked for at once by many, as many are had as there are", async () => {
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) => open(3, 9).take({ ...one, database: `shop-${index}` }, signal)),
    );
    const held = taken.filter((slot) => slot !== null);
    expect(held).toHaveLength(3);
    for (const slot of held) await slot.release();
  });

  test("of a process that died are free again after the take-over time, and not before", async () => {
    const slots = open(1, 4, 1);
    await (await slots.take(one, signal))?.release();
    const [server] = await readdirAfterTaking(slots);
    await writeFile(path.join(folder, ".trivault/dump-limit", server ?? ""), "a-dead-process 7");
    expect(await slots.take(one, signal)).toBeNull();
    for (let looks = 0; looks < 30 && (await slots.fitting([one])).length === 0; looks++) await sleep(100);
    const taken = await slots.take(one, signal);
    expect(taken).not.toBeNull();
    await taken?.release();
  });

  test("are waited for by who has no queue, and given back", async () => {
    const config = {
      ...resolveConfig({ DATABASE_URL: "postgresql://u:p@db1/shop", BACKUP_DIR: folder }, "read"),
      limits: { ...resolveConfig({}, "read").limits, dumpsPerServer: 1 },
    };
    const held = await openDumpSlots(config).take({ ...one, database: "blog" }, signal);
    const notes: string[] = [];
    const waiting = inDumpSlot(config, "shop", { signal, note: (line) => notes.push(line) }, async () => "done");
    await sleep(400);
    expect(notes).toEqual([expect.stringContaining("db1:5432")]);
    await held?.release();
    expect(await waiting).toBe("done");
    expect(await openDumpSlots(config).fitting([one])).toEqual([one]);
  });
});

async function readdirAfterTaking(slots: DumpSlots): Promise<string[]> {
  const slot = await slots.take(one, signal);
  const names = await readdir(path.join(folder, ".trivault/dump-limit"));
  await slot?.release();
  return names.filter((name) => name.startsWith("server-"));
}

test("a server is identified by host and port, also for a database that was discovered on it", () => {
  const config: Pick<Config, "databases" | "servers"> = resolveConfig(
    { DATABASE_URL: "postgresql://u:p@db1:5433/shop" },
    "read",
  );
  expect(serverOf(config, "shop")).toBe("db1:5433");
  expect(serverOf(config, "blog")).toBeNull();
});
