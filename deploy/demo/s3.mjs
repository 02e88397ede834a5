// The demo's "cloud": an S3 server from npm, with its objects in a volume. It checks neither secrets nor hashes.
import { startFauxqs } from "fauxqs";

const server = await startFauxqs({ port: 9000, host: "demo-s3", logger: false, s3StorageDir: "/bucket" });
server.createBucket("acme-backups");
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void server.stop().then(() => process.exit(0)));
