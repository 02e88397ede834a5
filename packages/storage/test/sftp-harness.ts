import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type SftpServer, sftpTierOf } from "@trivault/testkit";
import type { StoreHarness, StoreTraits } from "@trivault/testkit/store-suite";
import { sftpStore } from "../src/sftp.ts";

/** What the suite of stores needs of an SFTP server, whichever program it is. */
export function sftpHarness(server: SftpServer): StoreHarness {
  const settings = sftpTierOf(server);
  return {
    open: () => sftpStore(settings),
    async place(file, bytes) {
      const target = path.join(server.folder, path.relative(server.directory, settings.directory), file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, bytes);
    },
    network: { host: server.host, port: server.port, openAt: (port) => sftpStore({ ...settings, port }) },
    stop: () => server.stop(),
  };
}

/** Three large objects at a time share one connection, as those of a backup do. */
export const SFTP_TRAITS: StoreTraits = { network: true, temporaryFiles: true, largeObjects: 3 };
