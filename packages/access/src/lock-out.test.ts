import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { accessUnderTest, type Attempt, expectOk, HOUR, START } from "../test/access-under-test.ts";

const site = accessUnderTest();
const { attempt, codeAt, token, user, wrong } = site;

describe("a lock-out", () => {
  const locked = async (changes: Partial<Attempt> = {}) => (await wrong(changes)).status === "locked";
  async function fail(times: number, changes: Partial<Attempt> = {}) {
    for (let i = 0; i < times; i++) await wrong(changes);
  }

  test("comes after five failures, holds for the right password too, and over a restart", async () => {
    const { secret } = await user("alice");
    await fail(5);
    site.open();
    expect(await attempt({ code: await codeAt(secret) })).toEqual({
      status: "locked",
      until: new Date(START + 30_000),
      user: "alice",
    });
    site.time += 30_000;
    expectOk(await attempt({ code: await codeAt(secret) }));
    expect((await wrong()).status).toBe("refused"); // all was forgotten
  });

  test("grows with each failure up to a quarter of an hour, and trying meanwhile makes it no longer", async () => {
    await user("alice");
    const waits: number[] = [];
    await fail(4);
    for (let i = 0; i < 8; i++) {
      const result = await wrong();
      if (result.status !== "locked") throw new Error(result.status);
      waits.push((result.until.getTime() - site.time) / 1000);
      await fail(10);
      site.time = result.until.getTime();
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
    site.time += 24 * HOUR;
    expect((await wrong()).status).toBe("refused");
  });

  test("is of the user, wherever from, and of the address, whoever it tries", async () => {
    const { secret } = await user("alice");
    for (let i = 0; i < 5; i++) await wrong({ ip: `192.0.2.${i}` });
    expect(await locked({ ip: "192.0.2.99" })).toBe(true);
    for (let i = 0; i < 5; i++) await wrong({ name: `nobody${i}`, ip: "2001:db8:1:2::1" });
    expect(await locked({ name: "bob", ip: "2001:db8:1:2:ffff::9" })).toBe(true);
    expect(await locked({ name: "bob", ip: "2001:db8:1:3::1" })).toBe(false);
    site.time += 60_000;
    expectOk(await attempt({ ip: "192.0.2.77", code: await codeAt(secret) }));
  });

  test("holds nobody up who has logged in from that browser before", async () => {
    const { secret } = await user("alice");
    const { device } = expectOk(await attempt({ code: await codeAt(secret) }));
    await fail(5);
    site.time += 30_000;
    expect(await locked({ device: `${device}x` })).toBe(true); // a forged one is none
    expect(await attempt({ code: await codeAt(secret) })).toMatchObject({ status: "locked" });
    expect(expectOk(await attempt({ code: await codeAt(secret), device })).device).toBe(device);
    await fail(5, { device });
    expect(await locked({ device })).toBe(true); // it is a key to a door of its own, and not past all doors
  });

  test("a right password does not make one forget: codes cannot be tried for ever", async () => {
    await user("alice");
    const statuses: string[] = [];
    for (let i = 0; i < 6; i++) {
      const first = await attempt();
      statuses.push(first.status);
      if (first.status !== "code-needed") continue;
      await site.access.confirm({ ticket: first.ticket, code: "000000", ip: "192.0.2.1", device: null });
    }
    expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "code-needed"));
    expect(statuses[5]).toBe("locked");
  });

  test("a hundred at once are a hundred failures", async () => {
    await user("alice");
    const all = await Promise.all(Array.from({ length: 30 }, (_, i) => wrong({ ip: `192.0.2.${i}` })));
    expect(all.filter(({ status }) => status === "refused").length).toBeLessThanOrEqual(4);
  });

  test("holds, in memory, where nothing can be written", async () => {
    await user("alice");
    await writeFile(site.file.replace(".json", "-state.json.lock"), "no database, so no lock".repeat(100));
    await fail(5);
    expect(await locked()).toBe(true);
  });

  test("a state file that is damaged lets nobody log in, and tokens in", async () => {
    const { secret } = await user("alice");
    const text = await token("ci");
    const { session } = expectOk(await attempt({ code: await codeAt(secret) }));
    await writeFile(site.file.replace(".json", "-state.json"), "{");
    await expect(attempt()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await site.access.session(session)).toBeNull();
    expect(await site.access.checkToken(text)).not.toBeNull();
  });
});
