import { execFile, spawnSync } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./ports.ts";
import { findProgram } from "./programs.ts";
import { makeTempDir } from "./temp.ts";

export interface Ceph extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

type Address = Pick<Ceph, "endpoint" | "accessKey" | "secretKey">;

const run = promisify(execFile);
const script = path.join(import.meta.dirname, "../../../scripts/ceph-s3");
const PROGRAMS = { radosgw: "radosgw", "ceph-mon": "ceph-mon", "ceph-osd": "ceph-osd", ceph: "ceph-common" };

/** A real S3 server (Ceph's gateway, objects in memory) on a free port; up in about 15 seconds. */
export async function startCeph(): Promise<Ceph> {
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) findProgram(program, debianPackage);
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch();
    } catch (error) {
      // Another process may have taken a port that was free a moment ago.
      if (attempt === 2) throw error;
    }
  }
}

/** The one server of a test run, told by TRIVAULT_TEST_S3 (JSON of endpoint, accessKey, secretKey); else one's own. */
export async function sharedCeph(): Promise<Ceph> {
  const shared = process.env["TRIVAULT_TEST_S3"];
  if (shared === undefined) return startCeph();
  return client(JSON.parse(shared) as Address, async () => {});
}

async function launch(): Promise<Ceph> {
  const dir = await makeTempDir("tv-ceph");
  const stopNow = () => spawnSync(script, ["stop", dir.path]);
  process.once("exit", stopNow);
  const stop = async () => {
    await run(script, ["stop", dir.path]);
    process.off("exit", stopNow);
    await dir.remove();
  };
  try {
    const ports = [await freePort(), await freePort()].map(String);
    const { stdout } = await run(script, ["start", dir.path, ...ports], { timeout: 150_000 });
    const said = Object.fromEntries(stdout.split("\n").map((line) => line.split("=", 2)));
    return client({ endpoint: said.endpoint, accessKey: said.access_key, secretKey: said.secret_key }, stop);
  } catch (cause) {
    const log = await run("tail", ["-n", "20", path.join(dir.path, "log/start.log")]).catch(() => ({ stdout: "" }));
    await stop();
    throw new Error(`Ceph's S3 server did not start:\n${log.stdout}`, { cause });
  }
}

function client(address: Address, stop: () => Promise<void>): Ceph {
  const { endpoint, accessKey, secretKey } = address;
  return {
    ...address,
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
