import { visibleStrings } from "@trivault/core";
import { renderHtml } from "./html/render-html.ts";
import { renderText } from "./render-text.ts";
import type { Report } from "./report.ts";

/** A report in each of its forms. */
export interface RenderedReport {
  readonly report: Report;
  readonly html: string;
  readonly text: string;
  /** For a mail's body, which some programs cut off at 100 kB: without rows for all that is as it should be. */
  readonly mail: { readonly html: string; readonly text: string; readonly isWhole: boolean };
}

/** Rows of databases in a mail. */
const MOST_IN_MAIL = 30;

export function renderReport(report: Report): RenderedReport {
  // Names and errors of strangers do nothing to a terminal, nor to the text around them.
  const shown = visibleStrings(report);
  const html = renderHtml(shown);
  const text = renderText(shown);
  const isWhole = report.databases.length <= MOST_IN_MAIL;
  if (isWhole) return { report, html, text, mail: { html, text, isWhole } };
  const options = { mostDatabases: MOST_IN_MAIL };
  return {
    report,
    html,
    text,
    mail: { html: renderHtml(shown, options), text: renderText(shown, options), isWhole },
  };
}
