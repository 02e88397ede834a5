import { runFloor } from "./floor.ts";
import { type Measured, runPipeline } from "./pipeline.ts";
import type { Source } from "./source.ts";
import type { Targets } from "./targets.ts";
import { emptyServerFolder, rcloneProgram, sftpProgram } from "./uploads.ts";

export interface ScriptMeasured {
  readonly dump: Measured;
  readonly sftp: Measured;
  readonly s3: Measured;
  readonly seconds: number;
}

/** (b) What people write: the floor, then one upload after the other. */
export async function runUsualScript(source: Source, targets: Targets): Promise<ScriptMeasured> {
  const { file, ...dump } = await runFloor(source);
  const sftp = await runPipeline([await sftpProgram(targets, source.folder, [file])]);
  const s3 = await runPipeline([await rcloneProgram(targets, source.folder, ["copyto", file])]);
  await emptyServerFolder(targets, [file]);
  await runPipeline([await rcloneProgram(targets, source.folder, ["purge"])]);
  return { dump, sftp, s3, seconds: dump.seconds + sftp.seconds + s3.seconds };
}
