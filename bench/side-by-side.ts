import { rm } from "node:fs/promises";
import path from "node:path";
import { floorPrograms } from "./floor.ts";
import { type Measured, type Program, runPipeline } from "./pipeline.ts";
import { measureServers, type ServerCpu } from "./servers.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { emptyServerFolder, rcloneProgram, sshProgram } from "./uploads.ts";

export interface SideBySideMeasured extends Measured {
  readonly servers: ServerCpu;
}

/**
 * (e) The floor into three places at once: `… | tee file >(ssh 'cat > …') | rclone rcat`. What programs alone need for three
 * copies, which nobody verifies; so it is the least that three tiers side by side can take on this machine.
 */
export async function runSideBySide(source: Source, targets: Targets): Promise<SideBySideMeasured> {
  const name = "side-by-side.dump.zst.age";
  const file = path.join(source.folder, name);
  const ssh = sshProgram(targets, `cat > '${targets.sshd.directory}/${name}'`);
  const s3 = await rcloneProgram(targets, source.folder, ["rcat", name]);
  const servers = measureServers(source, targets);
  const measured = await runPipeline([...floorPrograms(source), threeWays(source.folder, file, ssh, s3)]);
  const result = { ...measured, servers: servers.stop() };
  await rm(file);
  await emptyServerFolder(targets, [file]);
  await runPipeline([await rcloneProgram(targets, source.folder, ["purge"])]);
  return result;
}

/** A shell, which passes no byte on itself: it fails where any of the three does, and ends with the last of them. */
function threeWays(folder: string, file: string, ssh: Program, s3: Program): Program {
  const script =
    'set -e; fifo="$1/fifo"; rm -f "$fifo"; mkfifo "$fifo"; file="$2"; ssh="$3"; s3="$4"; ' +
    'eval "$ssh" <"$fifo" & tee "$file" "$fifo" | eval "$s3"; wait $!; rm "$fifo"';
  return {
    file: "sh",
    args: ["-c", script, "sh", folder, file, quoted(ssh), quoted(s3)],
    ...(s3.env && { env: s3.env }),
  };
}

function quoted({ file, args }: Program): string {
  return [file, ...args].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
}
