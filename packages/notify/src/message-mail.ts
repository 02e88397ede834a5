import { escapeHtml } from "@trivault/core";
import { COLORS, factLine, headline, paragraphs, shorten } from "./text.ts";
import { TEXTS } from "./texts.ts";
import type { Mail, Shown } from "./types.ts";

/** The same in text and HTML; styles are inline, since mail clients take no others. */
export function messageMail(message: Shown, to: readonly string[]): Mail {
  const { id, topic, language, text, facts, url, at } = message;
  const texts = TEXTS[language];
  const title = headline(message);
  const foot = texts.foot(at);
  const lines = facts.map((fact) => factLine(fact, language)).join("\n");
  const plain = [
    title,
    text,
    lines,
    ...(url === null ? [] : [`${texts.dashboard}${texts.colon}${url}`]),
    `-- \n${foot}`,
  ];
  return {
    to,
    id,
    topic,
    subject: shorten(title, 200),
    text: `${plain.filter((part) => part !== "").join("\n\n")}\n`,
    html: html(message, title, foot),
  };
}

function html({ severity, language, text, facts, url }: Shown, title: string, foot: string): string {
  const color = `#${COLORS[severity].toString(16).padStart(6, "0")}`;
  const body = paragraphs(text)
    .map((part) => `<p style="margin:0 0 12px">${escapeHtml(part).replaceAll("\n", "<br>")}</p>`)
    .join("\n");
  const rows = facts
    .map(
      ([name, value]) =>
        `<tr><th style="text-align:left;vertical-align:top;padding:2px 16px 2px 0;font-weight:600">${escapeHtml(name)}</th><td style="padding:2px 0">${escapeHtml(value)}</td></tr>`,
    )
    .join("\n");
  const table = rows === "" ? "" : `<table style="border-collapse:collapse;margin:0 0 16px">${rows}</table>`;
  const link =
    url === null
      ? ""
      : `<p style="margin:0 0 16px"><a href="${escapeHtml(url)}" style="color:${color}">${TEXTS[language].openDashboard}</a></p>`;
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(title)}</title></head>
<body style="font:15px/1.5 system-ui,sans-serif;margin:0;padding:16px">
<div style="max-width:640px;border-left:4px solid ${color};padding-left:16px">
<h1 style="font-size:18px;line-height:1.3;margin:0 0 12px">${escapeHtml(title)}</h1>
${body}
${table}
${link}
<p style="font-size:12px;opacity:0.7;margin:0">${escapeHtml(foot)}</p>
</div>
</body></html>
`;
}
