import { type Ceph, startCeph, startSshd, type Sshd } from "@trivault/testkit";
import { type Link, makeLink } from "./links.ts";
import type { Setting } from "./options.ts";

/** The two servers that backups are sent to. */
export interface Targets extends AsyncDisposable {
  readonly sshd: Sshd;
  readonly ceph: Ceph;
  readonly bucket: string;
}

const BUCKET = "trivault-bench";

/** On this machine's loopback, or each behind a link of its own. `bytes` is the room that the S3 server gets, in memory. */
export async function startTargets(setting: Setting, bytes: number): Promise<Targets> {
  await using stack = new AsyncDisposableStack();
  const place = async (name: string): Promise<Partial<Link>> =>
    setting === "link" ? stack.use(await makeLink(name)) : {};
  const sshd = stack.use(await startSshd(await place("remote")));
  const ceph = stack.use(await startCeph({ ...(await place("cloud")), bytes }));
  await ceph.createBucket(BUCKET);
  // The AWS SDK looks here; the stores that the bench opens are to find what the worker finds.
  process.env["AWS_ACCESS_KEY_ID"] = ceph.accessKey;
  process.env["AWS_SECRET_ACCESS_KEY"] = ceph.secretKey;
  const owned = stack.move();
  return { sshd, ceph, bucket: BUCKET, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
