/** The families of an exposition, with the labels of their series in order of the alphabet (`le` of histograms left out). */
export function exposedMetrics(text: string): Map<string, string[]> {
  const families = new Map<string, string[]>();
  for (const [, family = ""] of text.matchAll(/^# TYPE (\S+) /gm)) {
    const series = new RegExp(`^${family}(?:_bucket|_sum|_count)?(?:\\{(.*)\\})? `, "m").exec(text);
    if (!series) continue;
    const labels = [...(series[1] ?? "").matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)].map(([, label = ""]) => label);
    families.set(family, labels.filter((label) => label !== "le").toSorted());
  }
  return families;
}

/** The rows of docs/metrics.md: `| name | labels | meaning |`. */
export function documentedMetrics(page: string): Map<string, string[]> {
  const rows = [...page.matchAll(/^\| `(trivault_[a-z_]+)` \|([^|]*)\|/gm)];
  return new Map(
    rows.map(([, name = "", labels = ""]) => [
      name,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label).toSorted(),
    ]),
  );
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

export function dashboardPanels(json: string): readonly Panel[] {
  return (JSON.parse(json) as { panels: readonly Panel[] }).panels;
}

/** What the panels ask for, as Grafana sends it with nothing chosen. */
export function dashboardExpressions(json: string): string[] {
  return dashboardPanels(json).flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll(/\$(?:job|database)\b/g, ".*").replaceAll("$__rate_interval", "1m")),
  );
}
