import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { bytesSource, hashAll, type Source } from "@trivault/storage";
import { startTcpProxy } from "../tcp-proxy.ts";
import { chunked, MIB, newKey, present } from "./bytes.ts";
import type { StorePlace } from "./place.ts";

/** Whatever goes wrong with a put, nothing half-done is to be seen. */
export function describeWholeOrAbsent(place: StorePlace): void {
  describe("put is whole or absent", () => {
    test("when the source fails half-way", async () => {
      const key = newKey();
      const bytes = randomBytes(2 * MIB);
      const source: Source = {
        ...bytesSource(bytes),
        async *open() {
          yield bytes.subarray(0, MIB);
          throw new Error("the disk under the source died");
        },
      };
      await expect(place.store.put(key, source)).rejects.toThrow("the disk under the source died");
      await place.expectAbsent(key);
      expect(await place.store.put(key, bytesSource(bytes))).toBe("stored");
    });

    test.each([
      ["other bytes of the same length", randomBytes(MIB), MIB],
      ["too few bytes", randomBytes(MIB - 1), MIB],
      ["too many bytes", randomBytes(MIB + 1), MIB],
      ["no bytes", randomBytes(0), MIB],
      ["bytes where none should be", randomBytes(1), 0],
    ])("when the source gives %s than its hash says", async (_, given, size) => {
      const key = newKey();
      const expected = bytesSource(randomBytes(size));
      const lying: Source = { ...expected, open: () => bytesSource(given).open() };
      await expect(place.store.put(key, lying)).rejects.toMatchObject({ code: "CORRUPT" });
      await place.expectAbsent(key);
    });

    if (place.traits.network) {
      test("when the connection is cut in the middle, and a retry through the same client mends it", async () => {
        const network = present(place.harness.network);
        const proxy = await startTcpProxy(network);
        const client = network.openAt(proxy.port);
        try {
          const key = newKey();
          const source = chunked(randomBytes(8 * MIB), 256 * 1024);
          await client.stat(key);
          proxy.cutAfter(3 * MIB);
          // A store may mend the cut by itself; if it says that it failed, nothing may be there.
          const outcome = await client.put(key, source).catch((error: unknown) => error);
          if (outcome !== "stored") {
            expect(outcome).toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
            expect(await place.store.stat(key)).toBeNull();
            expect(await client.put(key, source)).toBe("stored");
          }
          expect(proxy.sent()).toBeGreaterThan(8 * MIB);
          expect((await hashAll(place.store.get(key))).sha256).toBe(source.sha256);
        } finally {
          await client.close();
          await proxy.stop();
        }
      }, 60_000);

      test("a get that is cut in the middle fails, and never looks complete", async () => {
        const network = present(place.harness.network);
        const proxy = await startTcpProxy(network);
        const client = network.openAt(proxy.port);
        try {
          const key = newKey();
          await place.store.put(key, chunked(randomBytes(8 * MIB), MIB));
          let size = 0;
          const cut = async () => {
            for await (const chunk of client.get(key)) {
              size += chunk.byteLength;
              if (size > MIB) await proxy.stop();
            }
          };
          await expect(cut()).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
          expect(size).toBeLessThan(8 * MIB);
        } finally {
          await client.close();
          await proxy.stop().catch(() => {}); // Already stopped by the test itself.
        }
      }, 60_000);

      test("a server that cannot be reached is STORE_UNREACHABLE, worth a retry", async () => {
        const network = present(place.harness.network);
        const proxy = await startTcpProxy(network);
        await proxy.stop();
        const client = network.openAt(proxy.port);
        await expect(client.stat(newKey())).rejects.toMatchObject({ code: "STORE_UNREACHABLE", permanent: false });
        await client.close();
      }, 60_000);
    }
  });
}
