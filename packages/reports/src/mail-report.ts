import type { Mail } from "@trivault/notify";
import { daysOf } from "./figures.ts";
import type { RenderedReport } from "./render.ts";
import { wordsOf } from "./texts/words.ts";

/** The whole report goes with it where the mail's own text leaves databases out. */
export function mailOf({ report, html, mail }: RenderedReport, to: readonly string[]): Mail {
  const { texts, format } = wordsOf(report.language, report.timeZone);
  const { period, database, well, madeAt } = report;
  const title = texts.title(daysOf(period), database);
  const name = `trivault-${period.to.slice(0, 10)}.html`;
  return {
    to,
    subject: texts.subject(well, title, format.day(period.to)),
    text: mail.text,
    html: mail.html,
    id: `report ${period.from} ${period.to} ${madeAt}`,
    topic: "reports",
    ...(mail.isWhole ? {} : { attachments: [{ name, type: "text/html", content: Buffer.from(html) }] }),
  };
}
