// Started by dump.test.ts, which kills it with SIGKILL: begins a dump that never ends, and prints the pids of its programs.
import { silentLogger } from "@trivault/core";
import { parseDatabaseUrl } from "../src/connection-url.ts";
import { startDump } from "../src/dump.ts";
import { requireTools } from "../src/tools.ts";

const [binDir = "", directory = "", state] = process.argv.slice(2);
const dump = await startDump({
  connection: parseDatabaseUrl("postgresql://u:p@127.0.0.1/d"),
  tools: await requireTools(99, binDir),
  snapshotId: "1",
  directory,
  segmentSize: 1024 * 1024,
  log: silentLogger(),
});
if (state === "paused") dump.pause();
console.log(dump.pids.join(" "));
await dump.done;
