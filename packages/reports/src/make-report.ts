import { buildReport } from "./build-report.ts";
import { type GatherDeps, gatherInput, type ReportRequest } from "./gather.ts";
import { type RenderedReport, renderReport } from "./render.ts";

/** In this thread: for tests and the command line. */
export async function makeReport(deps: GatherDeps, request: ReportRequest): Promise<RenderedReport> {
  return renderReport(buildReport(await gatherInput(deps, request)));
}
