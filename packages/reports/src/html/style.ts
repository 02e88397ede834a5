/**
 * Mail clients know little CSS, and some know no <style> at all. So what makes a report readable stands in each element's
 * `style`, in light colours; the sheet adds a dark theme, a narrow one and paper for those that read it.
 */
export const COLOURS = {
  page: "#f3f4f6",
  card: "#ffffff",
  ink: "#1f2937",
  quiet: "#5b6472",
  line: "#d9dde3",
  good: "#146c39",
  goodBack: "#e7f5ec",
  warn: "#8f5400",
  warnBack: "#fdf3df",
  bad: "#b3261e",
  badBack: "#fdeceb",
  link: "#1d5fbf",
} as const;

export const TONES = {
  good: { ink: COLOURS.good, back: COLOURS.goodBack },
  warn: { ink: COLOURS.warn, back: COLOURS.warnBack },
  bad: { ink: COLOURS.bad, back: COLOURS.badBack },
} as const;
export type Tone = keyof typeof TONES;

export const FONT = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
export const MONO = "ui-monospace,SFMono-Regular,Consolas,'Liberation Mono',monospace";

export const STYLES = {
  cell: `padding:5px 8px;border-top:1px solid ${COLOURS.line};font-size:13px;line-height:18px;vertical-align:top`,
  head: `padding:4px 8px;font-size:11px;line-height:15px;color:${COLOURS.quiet};font-weight:600;text-align:left;vertical-align:bottom`,
  h2: `margin:0 0 8px;font-size:17px;line-height:22px;font-weight:700`,
  quiet: `color:${COLOURS.quiet};font-size:12px;line-height:17px`,
  text: `margin:0;font-size:14px;line-height:20px`,
  code: `font-family:${MONO};font-size:12px;line-height:17px;overflow-wrap:anywhere`,
} as const;

export const SHEET = `
:root { color-scheme: light dark; supported-color-schemes: light dark }
body { margin: 0; padding: 0; -webkit-text-size-adjust: 100% }
table { border-collapse: collapse }
@media (max-width: 600px) {
  .outer { padding: 0 !important }
  .card { border-radius: 0 !important }
  .pad { padding-left: 14px !important; padding-right: 14px !important }
  .wide { display: none !important }
  .num { white-space: normal !important }
  .card td, .card th { padding-right: 4px !important; overflow-wrap: anywhere }
  svg { overflow: visible }
  svg text { font-size: 19px }
  .figure { display: block !important; width: auto !important; border-left: 0 !important; padding: 6px 0 !important }
}
@media (prefers-color-scheme: dark) {
  .page { background: #15181d !important }
  .card { background: #1e2229 !important; border-color: #363c46 !important }
  .card { color: #e6e9ee !important }
  .quiet { color: #a3acb9 !important }
  .line { border-color: #363c46 !important }
  .good { color: #6fd49a !important }
  .warn { color: #f0bc62 !important }
  .bad { color: #ff8f87 !important }
  .good-back { background: #173524 !important; border-color: #6fd49a !important }
  .warn-back { background: #3a2c12 !important; border-color: #f0bc62 !important }
  .bad-back { background: #42201e !important; border-color: #ff8f87 !important }
  .link { color: #8ab8ff !important }
  .fill-good { fill: #3f9e68 !important }
  .fill-warn { fill: #d99b33 !important }
  .fill-bad { fill: #f0746b !important }
  .fill-missed { fill: #a3acb9 !important }
  .fill-volume { fill: #6f93cf !important }
  .fill-ink { fill: #a3acb9 !important }
  .stroke { stroke: #4a515d !important }
}
@media print {
  @page { margin: 12mm }
  body, .page { background: #fff !important }
  .outer { padding: 0 !important }
  .card { border: 0 !important; width: 100% !important; max-width: none !important }
  .pad { padding-left: 0 !important; padding-right: 0 !important }
  tr, .keep { break-inside: avoid }
  h2 { break-after: avoid }
  thead { display: table-header-group }
  .no-print { display: none !important }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact }
}
`;
