import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { shellWord } from "@trivault/core";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";
import { makeTempDir } from "./temp.ts";
import { whenGone } from "./when-gone.ts";

export interface Ceph extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** The ids of its processes; empty where the server is shared. */
  readonly pids: readonly number[];
  readonly accessKey: string;
  readonly secretKey: string;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

export interface CephOptions {
  /** Where the gateway listens; 127.0.0.1 unless set. */
  readonly host?: string;
  /** A network namespace (ip-netns(8)) to run in; needs root. */
  readonly netns?: string;
  /** Room for objects, in memory; 4 GiB unless set. */
  readonly bytes?: number;
}

type Address = Pick<Ceph, "endpoint" | "accessKey" | "secretKey">;

const run = promisify(execFile);
const script = path.join(import.meta.dirname, "../../../scripts/ceph-s3");
const PROGRAMS = { radosgw: "radosgw", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", ceph: "ceph-common" };

/** A real S3 server (Ceph's gateway, objects in memory) on a free port; up in about 15 seconds. */
export async function startCeph(options: CephOptions = {}): Promise<Ceph> {
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) findProgram(program, debianPackage);
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(options);
    } catch (error) {
      // Another process may have taken a port that was free a moment ago.
      if (attempt === 2) throw error;
    }
  }
}

/** The one server of a test run, named by TRIVAULT_TEST_S3 (JSON of endpoint, accessKey, secretKey); else one's own. */
export async function sharedCeph(): Promise<Ceph> {
  const shared = process.env["TRIVAULT_TEST_S3"];
  if (shared === undefined) return startCeph();
  return client(JSON.parse(shared) as Address, [], async () => {});
}

async function launch({ host, netns, bytes }: CephOptions): Promise<Ceph> {
  const dir = await makeTempDir("tv-ceph");
  const isGone = whenGone([script, "stop", dir.path].map(shellWord).join(" "));
  const stop = async () => {
    await run(script, ["stop", dir.path]);
    await dir.remove();
    isGone();
  };
  try {
    const ports = [await freePort(), await freePort()].map(String);
    const command = [script, "start", dir.path, ...ports];
    const [program = script, ...args] = netns === undefined ? command : ["ip", "netns", "exec", netns, ...command];
    const env = {
      ...process.env,
      ...(host === undefined ? {} : { CEPH_S3_HOST: host }),
      ...(bytes === undefined ? {} : { CEPH_S3_BYTES: String(bytes) }),
    };
    const { stdout } = await run(program, args, { env, timeout: 150_000 });
    const pids = await Promise.all(["mon", "osd", "rgw"].map((name) => readPid(path.join(dir.path, `${name}.pid`))));
    const said = Object.fromEntries(stdout.split("\n").map((line) => line.split("=", 2)));
    return client({ endpoint: said.endpoint, accessKey: said.access_key, secretKey: said.secret_key }, pids, stop);
  } catch (cause) {
    const log = await run("tail", ["-n", "20", path.join(dir.path, "log/start.log")]).catch(() => ({ stdout: "" }));
    await stop();
    throw new Error(`Ceph's S3 server did not start:\n${log.stdout}`, { cause });
  }
}

async function readPid(file: string): Promise<number> {
  return Number(await readFile(file, "utf8"));
}

function client(address: Address, pids: readonly number[], stop: () => Promise<void>): Ceph {
  const { endpoint, accessKey, secretKey } = address;
  return {
    ...address,
    pids,
    async createBucket(name) {
      const s3 = new S3Client({
        endpoint,
        region: "us-east-1",
        forcePathStyle: true,
        credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      });
      await s3.send(new CreateBucketCommand({ Bucket: name }));
      s3.destroy();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
