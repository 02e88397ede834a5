import { html, type Html } from "@trivault/core";
import type { Report } from "../report.ts";
import type { Words } from "../texts/words.ts";
import { COLOURS, FONT } from "./style.ts";

type Days = Report["days"];

const WIDTH = 632;
const HEIGHT = 96;
const AXIS = 20;
const HEAD = 18;

/** How the runs of each day ended. */
export function runsChart(days: Days, label: string, { format }: Words): Html {
  const most = Math.max(1, ...days.map(({ ok, incomplete, failed, missed }) => ok + incomplete + failed + missed));
  const bars = days.flatMap((day, index) => {
    const parts = [
      ["good", day.ok],
      ["warn", day.incomplete],
      ["bad", day.failed],
      ["missed", day.missed],
    ] as const;
    let top = HEIGHT;
    return parts.map(([tone, count]) => {
      if (count === 0) return null;
      // What went wrong is always to be seen, however little of many it is.
      const height = Math.max(tone === "good" ? 1 : 3, (count / most) * (HEIGHT - 4));
      top -= height;
      return bar(index, days.length, Math.max(0, top), height, tone);
    });
  });
  return chart(label, days, (day) => format.shortDay(day), format.count(most), bars);
}

/** How many bytes came of the runs of each day. */
export function volumeChart(days: Days, label: string, { format }: Words): Html {
  const most = Math.max(1, ...days.map(({ bytes }) => bytes));
  const bars = days.map(({ bytes }, index) => {
    const height = (bytes / most) * (HEIGHT - 4);
    return height < 0.5 ? null : bar(index, days.length, HEIGHT - height, height, "volume");
  });
  return chart(label, days, (day) => format.shortDay(day), format.bytes(most), bars);
}

const FILLS = {
  good: COLOURS.good,
  warn: "#d98e1f",
  bad: COLOURS.bad,
  missed: "#6b7280",
  volume: "#6485b8",
} as const;

function bar(index: number, count: number, y: number, height: number, tone: keyof typeof FILLS): Html {
  const step = WIDTH / Math.max(count, 1);
  const gap = step > 6 ? 2 : 0.5;
  const at = [index * step + gap / 2, y, step - gap, height].map((value) => Number(value.toFixed(1)));
  return html`<rect
    class="fill-${tone}"
    x="${at[0] ?? 0}"
    y="${at[1] ?? 0}"
    width="${at[2] ?? 0}"
    height="${at[3] ?? 0}"
    fill="${FILLS[tone]}"
  />`;
}

function chart(
  label: string,
  days: Days,
  dayName: (day: string) => string,
  most: string,
  bars: readonly (Html | null)[],
): Html {
  const step = WIDTH / Math.max(days.length, 1);
  const every = Math.max(1, Math.ceil(days.length / 6));
  // Counted from the newest day, which is the one that is looked for.
  const named = days.flatMap(({ day }, index) => ((days.length - 1 - index) % every === 0 ? [{ day, index }] : []));
  const labels = named.map(({ day, index }) => {
    const x = Number((index * step + step / 2).toFixed(1));
    const anchor = x > WIDTH - 30 ? "end" : x < 30 ? "start" : "middle";
    const at = anchor === "end" ? WIDTH : anchor === "start" ? 0 : x;
    return html`<text class="fill-ink" x="${at}" y="${HEIGHT + 15}" text-anchor="${anchor}" fill="${COLOURS.quiet}"
      >${dayName(day)}</text
    >`;
  });
  return html`<svg
    role="img"
    aria-label="${label}"
    width="100%"
    viewBox="0 -${HEAD} ${WIDTH} ${HEIGHT + AXIS + HEAD}"
    style="display:block;width:100%;max-width:${WIDTH}px;height:auto"
    font-family="${FONT}"
    font-size="11"
  >
    <title>${label}</title>
    <line class="stroke" x1="0" y1="${HEIGHT}" x2="${WIDTH}" y2="${HEIGHT}" stroke="${COLOURS.line}" />
    <text class="fill-ink" x="0" y="-4" fill="${COLOURS.quiet}">${most}</text>
    ${bars}${labels}
  </svg>`;
}
