import { Counter, Gauge, Registry } from "prom-client";
import { FAMILIES, type FamilyName, type Sample } from "./families.ts";

/** Samples in the text format of Prometheus, a family at a time. */
export function exposition(samples: readonly Sample[]): Promise<string> {
  const registry = new Registry();
  for (const [name, ofFamily] of Map.groupBy(samples, (sample) => sample.name)) write(registry, name, ofFamily);
  return registry.metrics();
}

function write(registry: Registry, name: FamilyName, samples: readonly Sample[]): void {
  const { type, help, labels } = FAMILIES[name];
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === "counter") {
    const counter = new Counter(options);
    for (const sample of samples) counter.inc(sample.labels, sample.value);
    return;
  }
  const gauge = new Gauge(options);
  for (const sample of samples) gauge.set(sample.labels, sample.value);
}
