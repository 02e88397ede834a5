import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { S3TierConfig, SftpTierConfig, TierConfig } from "@trivault/core";
import { type Ceph, freePort, sharedCeph, type Sshd, startSshd, startTcpProxy } from "@trivault/testkit";
import { startFauxqs } from "fauxqs";
import { probeTier } from "./probe.ts";
import { sftpProbe } from "./probe-sftp.ts";
import { runProbe } from "./probe-steps.ts";

const NOT_THE_KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

async function probe(config: TierConfig): Promise<{ passed: string[]; failed: string[]; words: string }> {
  const steps = await Array.fromAsync(probeTier(config, { signal: AbortSignal.timeout(50_000) }));
  const named = (wanted: boolean) => steps.filter(({ ok }) => ok === wanted).map(({ step }) => step);
  const failure = steps.find(({ ok }) => ok === false);
  return { passed: named(true), failed: named(false), words: `${failure?.detail} | ${failure?.advice}` };
}

describe("an SFTP tier", () => {
  let server: Sshd;
  beforeAll(async () => {
    server = await startSshd({ hostKeyTypes: ["ed25519", "ecdsa"] });
  }, 60_000);
  afterAll(() => server?.stop());

  const tier = (changes: Partial<SftpTierConfig> = {}, of: Sshd = server): SftpTierConfig => ({
    name: "remote",
    kind: "sftp",
    host: of.host,
    port: of.port,
    user: of.user,
    keyFile: of.keyFile,
    directory: of.directory,
    hostKey: { fingerprint: of.fingerprint },
    budget: null,
    origin: "environment",
    prices: {},
    ...changes,
  });

  test("passes every step, in a folder that is there or can be made, and leaves nothing", async () => {
    for (const directory of [server.directory, `${server.directory}/a/b`]) {
      expect(await probe(tier({ directory }))).toMatchObject({
        passed: [
          "resolve",
          "connect",
          "host key",
          "authenticate",
          "folder",
          "write",
          "read back",
          "rename",
          "delete",
          "free space",
        ],
        failed: [],
      });
      expect(await readdir(server.directory)).toEqual([]);
    }
  });

  test("the fingerprint may be that of any of its host keys", async () => {
    const line = await readFile(path.join(path.dirname(server.directory), "host_ecdsa.pub"), "utf8");
    const file = path.join(server.directory, "../ecdsa_known_hosts");
    await writeFile(file, `[${server.host}]:${server.port} ${line}`);
    expect(await probe(tier({ hostKey: { knownHostsFile: file } }))).toMatchObject({ failed: [] });
    const second = execFileSync("ssh-keygen", ["-lf", path.join(path.dirname(server.directory), "host_ecdsa.pub")], {
      encoding: "utf8",
    });
    expect(await probe(tier({ hostKey: { fingerprint: second.split(" ")[1] ?? "" } }))).toMatchObject({ failed: [] });
  });

  test.each<[string, () => Promise<Partial<SftpTierConfig>>, string, RegExp]>([
    [
      "a name that nobody knows",
      async () => ({ host: "no-such-host.invalid" }),
      "resolve",
      /not known .*Correct BACKUP_REMOTE_SERVER/,
    ],
    ["a wrong port", async () => ({ port: await freePort() }), "connect", /ECONNREFUSED .* start sshd on that server/],
    [
      "a host key other than the pinned one",
      async () => ({ hostKey: { fingerprint: NOT_THE_KEY } }),
      "host key",
      /the server showed SHA256:.* \(ssh-ed25519\), SHA256:.* \(ecdsa.*expected is SHA256:47DEQ.* set BACKUP_SSH_HOST_KEY=SHA256:/,
    ],
    [
      "a server that known_hosts does not know",
      async () => ({ hostKey: { knownHostsFile: "/dev/null" } }),
      "host key",
      /\/dev\/null does not know this server .*ssh-keyscan -p \d+ 127\.0\.0\.1 >> \/dev\/null/,
    ],
    [
      "a user who may not log in",
      async () => ({ user: "nobody" }),
      "authenticate",
      /it offers publickey .*~nobody\/\.ssh\/authorized_keys.*: ssh-ed25519 AAAA\S+ trivault$/,
    ],
    [
      "a key file that is not there",
      async () => ({ keyFile: "/nope" }),
      "authenticate",
      /no SSH key at \/nope .*ssh-keygen -t ed25519/,
    ],
    [
      "a folder that cannot be made",
      async () => ({ directory: "/proc/nope" }),
      "folder",
      /No such file.*BACKUP_REMOTE_DIR \(\w+ begins in \//,
    ],
  ])("%s is reported by the step that fails", async (_name, changes, step, expected) => {
    const { failed, words } = await probe(tier(await changes()));
    expect(failed).toEqual([step]);
    expect(words).toMatch(expected);
  });

  test("9.C23 a server that only lets us read fails where it is written to, with what to do", async () => {
    await using readOnly = await startSshd({ config: ["ForceCommand internal-sftp -R"] });
    const { failed, words } = await probe(tier({}, readOnly));
    expect(failed).toEqual(["write"]);
    expect(words).toMatch(/Permission denied.*this account may only read.*internal-sftp -R/);
  });

  test("9.C23 an account that may not rename is reported by that step alone", async () => {
    await using noRename = await startSshd({ config: ["ForceCommand internal-sftp -P rename"] });
    const { failed, words } = await probe(tier({}, noRename));
    expect(failed).toEqual(["rename"]);
    expect(words).toMatch(/Permission denied.*may write in \S+ \(mode 700, owner \d+\) but not rename.*-P rename/);
    expect(await readdir(noRename.folder)).toEqual([]);
  });

  test("a user who is let in without SFTP", async () => {
    await using shell = await startSshd({ config: ["ForceCommand /bin/false"] });
    const { failed, words } = await probe(tier({}, shell));
    expect(failed).toEqual(["authenticate"]);
    expect(words).toMatch(/does not start SFTP.*internal-sftp/);
  });

  test("a server that falls silent ends every step in bounded time", async () => {
    const proxy = await startTcpProxy({ host: server.host, port: server.port });
    proxy.blackhole();
    const steps = runProbe(sftpProbe(tier({ port: proxy.port })), AbortSignal.timeout(10_000), 500);
    const failed = (await Array.fromAsync(steps)).filter(({ ok }) => ok === false);
    expect(failed).toMatchObject([{ step: "connect", detail: "no answer within 0.5 s" }]);
    await proxy.stop();
  });

  const asRoot = process.getuid?.() === 0 ? test : test.skip;
  asRoot("a full disk there is reported as such", async () => {
    const directory = path.join(server.directory, "../small");
    execFileSync("mkdir", [directory]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", directory]);
    try {
      const { failed, words } = await probe(tier({ directory }));
      expect(failed).toEqual(["write"]);
      expect(words).toMatch(/the disk is full: .* are free/);
      expect(await readdir(directory)).toEqual([]);
    } finally {
      execFileSync("umount", [directory]);
    }
  });
});

const ALL = [
  "resolve",
  "connect",
  "clock",
  "credentials",
  "bucket",
  "list",
  "write",
  "wrong bytes",
  "overwrite",
  "read back",
  "delete",
];

describe("an S3 tier", () => {
  let ceph: Ceph;
  let bucket: string;
  beforeAll(async () => {
    ceph = await sharedCeph();
    bucket = `probe-${randomBytes(6).toString("hex")}`;
    await ceph.createBucket(bucket);
  }, 120_000);
  afterAll(() => ceph?.stop(), 60_000);

  const tier = (changes: Partial<S3TierConfig> = {}): S3TierConfig => ({
    name: "cloud",
    kind: "s3",
    bucket,
    prefix: "production",
    region: "us-east-1",
    endpoint: ceph.endpoint,
    pathStyle: true,
    verify: "server",
    conditionalPut: true,
    budget: null,
    origin: "environment",
    prices: {},
    credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    storageClass: null,
    lifecycle: [],
    ...changes,
  });

  test("passes every step and leaves nothing", async () => {
    expect(await probe(tier())).toMatchObject({ passed: ALL, failed: [] });
    const client = new S3Client({
      endpoint: ceph.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    });
    expect((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).toEqual([]);
    client.destroy();
  });

  test.each<[string, () => Promise<Partial<S3TierConfig>>, string, RegExp]>([
    [
      "nobody listens",
      async () => ({ endpoint: `http://127.0.0.1:${await freePort()}` }),
      "connect",
      /ECONNREFUSED .*BACKUP_S3_ENDPOINT/,
    ],
    [
      "TLS where none is spoken",
      async () => ({ endpoint: ceph.endpoint.replace("http:", "https:") }),
      "connect",
      /No TLS is spoken there/,
    ],
    [
      "an unknown access key",
      async () => ({ credentials: { accessKeyId: "NOBODY", secretAccessKey: "x" } }),
      "credentials",
      /^it does not know the access key .*AWS_ACCESS_KEY_ID/,
    ],
    [
      "a wrong secret",
      async () => ({ credentials: { accessKeyId: ceph.accessKey, secretAccessKey: "geheim" } }),
      "credentials",
      /^the secret key is wrong \| Correct AWS_SECRET/,
    ],
    [
      "a bucket that is not there",
      async () => ({ bucket: `${bucket}-not` }),
      "bucket",
      /^there is no such bucket \| Create it, or correct BACKUP_S3_BUCKET/,
    ],
    [
      "a storage class that it has not",
      async () => ({ storageClass: "STANDARD_IA" }),
      "write",
      /refuses objects of the storage class STANDARD_IA/,
    ],
  ])("%s is reported by the step that fails", async (_name, changes, step, expected) => {
    const { failed, words } = await probe(tier(await changes()));
    expect(failed).toEqual([step]);
    expect(words).toMatch(expected);
    expect(words).not.toContain("geheim");
  });

  test("a server that takes other bytes than were signed is caught, unless everything is read back", async () => {
    const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
    server.createBucket(bucket);
    try {
      const endpoint = `http://127.0.0.1:${server.port}`;
      const { failed, words } = await probe(tier({ endpoint }));
      expect(failed).toContain("wrong bytes");
      expect(words).toMatch(/it does not check them \| Set BACKUP_S3_VERIFY=readback/);
      expect((await probe(tier({ endpoint, verify: "readback" }))).passed).toContain("wrong bytes");
    } finally {
      await server.stop();
    }
  });

  test("what another test has there at the same time is left alone", async () => {
    const client = new S3Client({
      endpoint: ceph.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    });
    const Key = "production/.RECOVERY.md.0123456789abcdef.tmp";
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "left" }));
    expect(await probe(tier())).toMatchObject({ failed: [] });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents.map((object) => object.Key)).toEqual([Key]);
    client.destroy();
  });
});
