import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { backupTimes, type Figure, median, partsOf, restoreTimes } from "./figures.ts";
import type { Machine } from "./machine.ts";
import type { ManyDatabases } from "./many-databases.ts";
import { peerSeconds } from "./peers.ts";
import type { Result, SettingResult } from "./report.ts";
import type { Backups } from "./rounds.ts";

/**
 * Writes what the bench measured into docs/benchmarks.md, between its markers: `npx node bench/page.ts result.json …`, in the
 * order in which they are to be read; with `--print`, to standard output instead. Takes the JSON of `npm run bench -- --json`
 * and of bench/many-databases.ts.
 */
const PAGE = path.join(import.meta.dirname, "../docs/benchmarks.md");
const BEGIN = "<!-- results: made by bench/page.ts, do not edit -->";
const END = "<!-- end of results -->";

if (import.meta.main) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { print: { type: "boolean" } } });
  const results = await Promise.all(
    positionals.map(async (file) => JSON.parse(await readFile(file, "utf8")) as Result | ManyDatabases),
  );
  if (results.length === 0) {
    process.stderr.write("usage: npx node bench/page.ts [--print] RESULT.json …\n");
    process.exit(2);
  }
  const text = results.map(renderPart).join("\n");
  if (values.print) process.stdout.write(text);
  else await writeFile(PAGE, between(await readFile(PAGE, "utf8"), text));
}

/** The page with `text` between its markers. */
function between(page: string, text: string): string {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${PAGE} has no lines "${BEGIN}" and "${END}" to write between.`);
  return `${page.slice(0, start)}${BEGIN}\n\n${text}\n${page.slice(end)}`;
}

function renderPart(result: Result | ManyDatabases): string {
  return "measured" in result ? renderMany(result) : renderResult(result);
}

function renderResult(result: Result): string {
  const size = `${(result.databaseBytes / 1e6).toFixed(0)} MB`;
  const alone = [...result.cryptoFigures, ...result.startFigures];
  return [
    ...result.settings.map((setting) => renderSetting(setting, size, provenance(result.machine, result.startedAt))),
    ...(alone.length === 0
      ? []
      : [
          "### Encryption and starts, by themselves",
          "",
          provenance(result.machine, result.startedAt),
          "",
          figureTable(alone),
          "",
        ]),
  ].join("\n");
}

function renderSetting({ setting, rounds, figures }: SettingResult, size: string, where: string): string {
  const { backups, restores, peers } = partsOf(rounds);
  const peerTimes = peers.map(peerSeconds);
  const times: (readonly [string, readonly number[]])[] = [];
  if (backups.length > 0) {
    const of = backupTimes(backups);
    times.push(
      ["(a) floor", of.floor],
      ["(b) usual script", of.script],
      ["(c) Trivault, three tiers", of.trivault],
      ["(e) programs alone, side by side", of.sideBySide],
    );
  }
  if (restores.length > 0) {
    times.push(["(d) restore by hand", restores.map(({ byHand }) => byHand.seconds)]);
    for (const [tier, seconds] of restoreTimes(restores)) times.push([`(d) restore from ${tier}`, seconds]);
  }
  if (peers.length > 0) {
    times.push(
      ["restic, three times", peerTimes.map(({ restic }) => restic)],
      ["GoBackup's method", peerTimes.map(({ gobackup }) => gobackup)],
    );
  }
  const each = (seconds: readonly number[]) => seconds.map((value) => value.toFixed(2)).join(", ");
  return [
    `### ${size}, ${setting}`,
    "",
    where,
    "",
    ...(times.length === 0
      ? []
      : [
          table(
            ["measured", "median", "each round, s"],
            times.map(([name, seconds]) => [name, `${median(seconds).toFixed(2)} s`, each(seconds)]),
          ),
          "",
        ]),
    figureTable(figures),
    "",
    ...(backups.length === 0 ? [] : [cpuTable(backups), ""]),
  ].join("\n");
}

function figureTable(figures: readonly Figure[]): string {
  return table(
    ["figure", "value", "target", ""],
    figures.map(({ name, value, unit, target, met }) => [
      name,
      `${value.toFixed(unit === "segments" ? 0 : 2)} ${unit}`,
      target === null ? "" : "atMost" in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`,
      met === null ? "" : met ? "met" : "missed",
    ]),
  );
}

/** Where the processors' time goes: medians, by program, by kind of thread, by server. */
function cpuTable(backups: readonly Backups[]): string {
  const columns = [
    backups.map(({ floor }) => ({ ...floor.cpu, postgres: floor.serverCpuSeconds })),
    backups.map(({ trivault }) => ({ ...trivault.client, ...trivault.servers })),
    backups.map(({ sideBySide }) => ({ ...sideBySide.cpu, ...sideBySide.servers })),
  ].map(mediansByName);
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const rows = names.map((name) => [name, ...columns.map((column) => column.get(name) ?? 0)] as const);
  const shown = rows.filter(([, ...seconds]) => Math.max(...seconds) >= 0.05);
  const total = columns.map((column) => [...column.values()].reduce((sum, seconds) => sum + seconds, 0));
  const cells = (values: readonly number[]) => values.map((value) => (value < 0.005 ? "" : value.toFixed(2)));
  return table(
    ["CPU seconds", "(a)", "(c)", "(e)"],
    [...shown.map(([name, ...seconds]) => [name, ...cells(seconds)]), ["together", ...cells(total)]],
  );
}

function mediansByName(rounds: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))];
  return new Map(names.map((name) => [name, median(rounds.map((round) => round[name] ?? 0))]));
}

function renderMany({ machine, startedAt, databases, databaseBytes, measured }: ManyDatabases): string {
  const [one] = measured;
  return [
    `### ${databases} databases of ${(databaseBytes / 1e6).toFixed(0)} MB at once`,
    "",
    provenance(machine, startedAt),
    "",
    table(
      ["workers", "all complete after", "databases a minute", "MB/s", "times as fast", "worker, peak memory"],
      measured.map((each) => [
        String(each.workers),
        `${each.seconds.toFixed(1)} s`,
        each.databasesPerMinute.toFixed(1),
        each.megabytesPerSecond.toFixed(0),
        ((one?.seconds ?? Number.NaN) / each.seconds).toFixed(2),
        `${each.workerPeakMiB.toFixed(0)} MiB`,
      ]),
    ),
    "",
  ].join("\n");
}

function provenance({ processors, processor, memoryBytes, kernel, commit, versions }: Machine, at: string): string {
  const programs = ["node", "postgres", "zstd", "age", "openssh", "rclone", "ceph"].map(
    (name) => `${name} ${versions[name]}`,
  );
  const date = `${at.slice(0, 16).replace("T", " ")} UTC`;
  const memory = (memoryBytes / 1024 ** 3).toFixed(0);
  return `${date}, commit ${commit ?? "unknown"}; ${processors} × ${processor}, ${memory} GiB, Linux ${kernel}; ${programs.join(", ")}.`;
}

/** Padded as the formatter wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
