import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import {
  type PostgresServer,
  type TempDir,
  expectNoLeaks,
  freePort,
  makeTempDir,
  startPostgres,
} from "@trivault/testkit";
import { connect, withClient } from "./connect.ts";
import { parseDatabaseUrl } from "./connection-url.ts";
import { openSnapshot } from "./snapshot.ts";

// Generous: other tests may keep the machine busy.
jest.setTimeout(60_000);

let server: PostgresServer;
let dir: TempDir;

beforeAll(async () => {
  [server, dir] = await Promise.all([startPostgres(), makeTempDir()]);
});
afterAll(async () => {
  await server.stop();
  await dir.remove();
});
afterAll(expectNoLeaks());

const TLS_USED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

async function usesTls(url: string): Promise<unknown> {
  return withClient(
    parseDatabaseUrl(url),
    async (client) => (await client.query<{ ssl: boolean }>(TLS_USED)).rows[0]?.ssl,
  );
}

describe("a database that cannot be used", () => {
  const refused = (code: string, permanent: boolean, message: RegExp) => ({
    code,
    permanent,
    message: expect.stringMatching(message),
  });

  test("wrong password", async () => {
    const url = server.urlOf("postgres", { user: "postgres", password: "wrong-word" });
    const error: unknown = await connect(parseDatabaseUrl(url)).catch((reason: unknown) => reason);
    expect(error).toMatchObject(
      refused("DATABASE_REFUSED", true, /"postgres" on 127.0.0.1:\d+ as user "postgres".*Check the password/),
    );
    expect(String(error)).not.toContain("wrong-word");
  });

  test("no password in the URL, whatever the environment holds", async () => {
    process.env.PGPASSWORD = server.password;
    try {
      const url = `postgresql://postgres@127.0.0.1:${server.port}/postgres`;
      await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject(
        refused("DATABASE_REFUSED", true, /URL has none/),
      );
    } finally {
      delete process.env.PGPASSWORD;
    }
  });

  test("missing database", async () => {
    const wanted = refused("DATABASE_REFUSED", true, /database "nowhere".*does not exist.*Check the database name/);
    await expect(openSnapshot(parseDatabaseUrl(server.urlOf("nowhere")))).rejects.toMatchObject(wanted);
  });

  test("nobody listens, no such host, no such socket", async () => {
    const urls = [
      `postgresql://u@127.0.0.1:${await freePort()}/d`,
      "postgresql://u@nowhere.invalid/d",
      "postgresql://u@/d?host=/nowhere",
    ];
    for (const url of urls) {
      const wanted = refused("DATABASE_UNREACHABLE", false, /No connection to database "d"/);
      await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject(wanted);
    }
  });

  test("a server that accepts and says nothing, within connect_timeout", async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address ? address.port : 0;
    try {
      const url = `postgresql://u:p@127.0.0.1:${port}/d?connect_timeout=2&sslmode=disable`;
      await expect(connect(parseDatabaseUrl(url))).rejects.toMatchObject({
        code: "DATABASE_UNREACHABLE",
        permanent: false,
      });
    } finally {
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  test("a session that dies while idle fails the next query, and not the process", async () => {
    const snapshot = await openSnapshot(parseDatabaseUrl(server.url));
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'trivault'");
    await sleep(100);
    const wanted = { code: "DATABASE_UNREACHABLE", permanent: false };
    await expect(snapshot.details({ rowCounts: false })).rejects.toMatchObject(wanted);
    await snapshot.close();
  });
});

describe("sslmode", () => {
  test("against a server without TLS: prefer falls back, require refuses", async () => {
    expect(await usesTls(server.url)).toBe(false);
    await expect(usesTls(`${server.url}?sslmode=require`)).rejects.toMatchObject({
      code: "DATABASE_REFUSED",
      permanent: true,
      message: expect.stringContaining("speaks no TLS"),
    });
  });

  describe("against a server with TLS", () => {
    let cert: string;
    let other: string;

    beforeAll(async () => {
      [cert, other] = await Promise.all([makeCertificate("server"), makeCertificate("other")]);
      // Written by the server itself, so that the key belongs to its account.
      for (const file of ["server.crt", "server.key"]) {
        const text = await readFile(path.join(dir.path, file), "utf8");
        await server.query(`COPY (SELECT $$${text.trim()}$$) TO PROGRAM $$umask 077; sed 's/\\\\n/\\n/g' > ${file}$$`);
      }
      await server.query("ALTER SYSTEM SET ssl = on");
      await server.query("SELECT pg_reload_conf()");
      await sleep(300);
    });

    test.each([
      ["disable", false],
      ["allow", false],
      ["prefer", true],
      ["require", true],
    ])("%s: TLS %s", async (mode, expected) => {
      expect(await usesTls(`${server.url}?sslmode=${mode}`)).toBe(expected);
    });

    test("verify-full and verify-ca accept the pinned certificate only, and verify-full its name only", async () => {
      const byName = server.url.replace("127.0.0.1", "localhost");
      expect(await usesTls(`${server.url}?sslmode=verify-full&sslrootcert=${cert}`)).toBe(true);
      expect(await usesTls(`${byName}?sslmode=verify-ca&sslrootcert=${cert}`)).toBe(true);
      const distrusted = { code: "DATABASE_REFUSED", permanent: true, message: expect.stringContaining("not trusted") };
      await expect(usesTls(`${byName}?sslmode=verify-full&sslrootcert=${cert}`)).rejects.toMatchObject(distrusted);
      for (const mode of ["require", "verify-ca", "verify-full"]) {
        const url = `${server.url}?sslmode=${mode}&sslrootcert=${other}`;
        await expect(usesTls(url)).rejects.toMatchObject(distrusted);
      }
    });

    test("verify-full without a certificate, or with one that is not there, is refused before anything is sent", async () => {
      for (const url of [`${server.url}?sslmode=verify-full`, `${server.url}?sslmode=verify-ca&sslrootcert=/nowhere`]) {
        await expect(usesTls(url)).rejects.toMatchObject({ code: "INPUT_INVALID", permanent: true });
      }
    });
  });
});

/** Self-signed, for 127.0.0.1 and not for localhost. */
async function makeCertificate(name: string): Promise<string> {
  const [key, cert] = [path.join(dir.path, `${name}.key`), path.join(dir.path, `${name}.crt`)];
  const subject = ["-subj", "/CN=trivault test", "-addext", "subjectAltName=IP:127.0.0.1"];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await promisify(execFile)("openssl", ["req", "-x509", ...algorithm, ...subject, "-keyout", key, "-out", cert]);
  return cert;
}
