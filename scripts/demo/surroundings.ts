import path from "node:path";
import {
  freePort,
  makeTempDir,
  type PostgresServer,
  type Sshd,
  startPostgres,
  startSshd,
  type TempDir,
} from "@trivault/testkit";
import { type FauxqsServer, startFauxqs } from "fauxqs";

/** What an operator has before Trivault comes: a database server, a remote server, a bucket. All in one folder. */
export interface Surroundings extends AsyncDisposable {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly remote: Sshd;
  readonly cloud: { readonly endpoint: string; readonly bucket: string };
}

const BUCKET = "acme-backups";

export async function startSurroundings(): Promise<Surroundings> {
  const folder: TempDir = await makeTempDir("trivault-demo");
  const stops: (() => Promise<void>)[] = [() => folder.remove()];
  const stopAll = async () => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    const postgres = await startPostgres();
    stops.push(() => postgres.stop());
    const remote = await startSshd();
    stops.push(() => remote.stop());
    const s3 = await startS3(path.join(folder.path, "bucket"));
    stops.push(() => s3.stop());
    return {
      folder: folder.path,
      postgres,
      remote,
      cloud: { endpoint: `http://127.0.0.1:${s3.port}`, bucket: BUCKET },
      [Symbol.asyncDispose]: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** An S3 server from npm: good enough to look at. The tests use a real one, as this one checks neither secrets nor hashes. */
async function startS3(directory: string): Promise<FauxqsServer> {
  const server = await startFauxqs({
    port: await freePort(),
    host: "127.0.0.1",
    logger: false,
    s3StorageDir: directory,
  });
  server.createBucket(BUCKET);
  return server;
}
