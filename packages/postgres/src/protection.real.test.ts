import { mkdtemp } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { silentLogger } from "@trivault/core";
import { expectNoLeaks, makeTempDir, type PostgresServer, startPostgres, type TempDir } from "@trivault/testkit";
import { connect, withClient } from "./connect.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { startDump } from "./dump.ts";
import { describeProtection } from "./protection.ts";
import { newestTools, type Tools } from "./tools.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
let dir: TempDir;
let tools: Tools;
let port: number;
let impostor: Server;
/** The messages with which the impostor answers a startup message, and all that clients sent it after theirs. */
let answer: Buffer;
let received: string[] = [];

const SECRET = "hunter2-hunter2";
/** To the system another address of this machine; to the rule, an address like any other. */
const ELSEWHERE = "0.0.0.0";

/** An authentication request (PostgreSQL manual, 55.7). */
function request(code: number, more = ""): Buffer {
  const message = Buffer.alloc(9 + more.length);
  message.write("R");
  message.writeInt32BE(8 + more.length, 1);
  message.writeInt32BE(code, 5);
  message.write(more, 9);
  return message;
}
const OK = Buffer.concat([request(0), Buffer.from("Z\0\0\0\u0005I")]);

beforeAll(async () => {
  [server, dir, tools] = await Promise.all([startPostgres(), makeTempDir(), newestTools(null)]);
  impostor = createServer((socket) => {
    socket.on("error", () => {});
    const current = received;
    let started = false;
    socket.on("data", (chunk) => {
      if (started) {
        current.push(chunk.toString("latin1"));
        socket.destroy();
      }
      // SSLRequest: no.
      else if (chunk.length === 8) socket.write("N");
      else {
        started = true;
        socket.write(answer);
      }
    });
  }).listen(0, ELSEWHERE);
  await new Promise((resolve) => impostor.once("listening", resolve));
  const address = impostor.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterAll(async () => {
  await new Promise((resolve) => impostor.close(resolve));
  await server.stop();
  await dir.remove();
});
afterAll(expectNoLeaks());

async function dump(url: string): Promise<void> {
  const directory = await mkdtemp(path.join(dir.path, "spool-"));
  const options = { connection: parseDatabaseUrl(url), tools, directory, segmentSize: 1 << 20, log: silentLogger() };
  const { done } = await startDump({ ...options, snapshotId: "00000003-0000001B-1" });
  await done;
}

describe("9.C20 a server beyond this machine that plays the database", () => {
  const asking = { clear: request(3), md5: request(5, "salt"), nothing: OK };

  test.each(["", "?sslmode=disable", "?sslmode=allow"])(
    "gets the password from nobody, however it asks (%s)",
    async (query) => {
      const url = `postgresql://ann:${SECRET}@${ELSEWHERE}:${port}/shop${query}`;
      for (const [manner, message] of [
        [asking.clear, /asks for the password in clear, and got nothing/],
        [asking.md5, /as MD5/],
        [asking.nothing, /does not ask for the password/],
      ] as const) {
        [answer, received] = [manner, []];
        const refused = { code: "DATABASE_REFUSED", permanent: true, message: expect.stringMatching(message) };
        await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject(refused);
        const failed = { code: "DUMP_FAILED", permanent: true, message: expect.stringContaining("require_auth=") };
        await expect(dump(url)).rejects.toMatchObject(failed);
        // No more than a good-bye.
        expect(received.join("").replaceAll("X\0\0\0\u0004", "")).toBe("");
      }
    },
  );

  test("or that leaves out its own proof in SCRAM, is found out", async () => {
    [answer, received] = [Buffer.concat([request(10, "SCRAM-SHA-256\0\0"), OK]), []];
    const url = `postgresql://ann:${SECRET}@${ELSEWHERE}:${port}/shop`;
    await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
    expect(received.join("")).not.toContain(SECRET);
  });

  test("gets it where the URL says that this is wanted", async () => {
    const url = `postgresql://ann:${SECRET}@${ELSEWHERE}:${port}/shop?require_auth=password`;
    [answer, received] = [asking.clear, []];
    await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    expect(received.join("")).toContain(SECRET);
    received = [];
    await expect(dump(url)).rejects.toMatchObject({ code: "DUMP_FAILED" });
    expect(received.join("")).toContain(SECRET);
  });
});

test("9.C20 what protects a connection is shown", async () => {
  const protection = (url: string) => {
    const connection = parseDatabaseUrl(url);
    return withClient(connection, async (client) => describeProtection(connection, client));
  };
  const elsewhere = server.url.replace("127.0.0.1", ELSEWHERE);
  expect(await protection(server.url)).toBe("on this machine");
  expect(await protection(elsewhere)).toBe("NO TLS, password by SCRAM only");
  expect(await protection(`${elsewhere}?require_auth=md5,scram-sha-256`)).toBe("NO TLS, PASSWORD UNPROTECTED");
});
