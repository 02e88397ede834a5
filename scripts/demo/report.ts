import { formatBytes } from "@trivault/core";

export interface TierReport {
  readonly tier: string;
  readonly bytes: number;
  /** From the request until this tier held a complete, verified copy. */
  readonly seconds: number;
  /** Every byte was read again where it lies and fits the signed manifest. */
  readonly verified: boolean;
  readonly restoreSeconds: number;
  /** The database restored from this tier alone equals the source, row by row. */
  readonly equal: boolean;
}

export interface DemoReport {
  readonly database: { readonly name: string; readonly bytes: number; readonly tables: number; readonly rows: number };
  readonly backupId: string;
  readonly tiers: readonly TierReport[];
}

export function isGood(report: DemoReport): boolean {
  return report.tiers.length === 3 && report.tiers.every(({ verified, equal }) => verified && equal);
}

export function table({ tiers }: DemoReport): string {
  const rows = [
    ["tier", "size", "safe after", "verified", "restored in", "equal to the source"],
    ...tiers.map(({ tier, bytes, seconds, verified, restoreSeconds, equal }) => [
      tier,
      formatBytes(bytes),
      `${seconds.toFixed(1)} s`,
      yes(verified),
      `${restoreSeconds.toFixed(1)} s`,
      yes(equal),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("   ")}`.trimEnd();
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function yes(value: boolean): string {
  return value ? "yes" : "NO";
}
