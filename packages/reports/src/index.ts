export { buildReport } from "./build-report.ts";
export { type GatherDeps, gatherInput, type ReportRequest } from "./gather.ts";
export type { OpenAlert, ReportInput } from "./input.ts";
export {
  headSeenByReports,
  isDay,
  type KeptReport,
  listReports,
  readKeptReport,
  readReportState,
} from "./kept-reports.ts";
export { mailOf } from "./mail-report.ts";
export { makeReport } from "./make-report.ts";
export { type RenderedReport, renderReport } from "./render.ts";
export { createReportMaker, type MakerDeps, type ReportMaker } from "./report-maker.ts";
export { type Report, reportSchema } from "./report.ts";
export { type ReportsDeps, startReports } from "./start-reports.ts";
