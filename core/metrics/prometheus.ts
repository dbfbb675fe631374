/**
 * Metrics as text, as Prometheus reads them (exposition format 0.0.4).
 *
 *     # HELP daos_commits_total Transactions that were committed.
 *     # TYPE daos_commits_total counter
 *     daos_commits_total 12
 *
 * @module
 */

import type { HistogramSample, MetricFamily, MetricLabels } from "./registry.js";

/** What `Content-Type` says of the text. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function formatLabels(labels: MetricLabels): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return "";
  const escaped = entries.map(
    ([name, value]) => `${name}="${escapeHelp(value).replaceAll('"', '\\"')}"`,
  );
  return `{${escaped.join(",")}}`;
}

function histogramLines(name: string, { labels, bounds, counts, sum }: HistogramSample): string[] {
  let total = 0;
  const lines = counts.map((count, bucket) => {
    total += count;
    const le = formatNumber(bounds[bucket] ?? Number.POSITIVE_INFINITY);
    return `${name}_bucket${formatLabels({ ...labels, le })} ${total}`;
  });
  const written = formatLabels(labels);
  lines.push(`${name}_sum${written} ${formatNumber(sum)}`, `${name}_count${written} ${total}`);
  return lines;
}

/**
 * Metrics in the text form of Prometheus.
 *
 * @param families What `pool.metrics()` or `MetricRegistry.snapshot()` returned.
 * @returns Lines, each with its end.
 *
 * @example
 * ```ts
 * response.setHeader("Content-Type", PROMETHEUS_CONTENT_TYPE);
 * response.end(formatPrometheus(pool.metrics()));
 * ```
 */
export function formatPrometheus(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const family of families) {
    const { name, help, type } = family;
    lines.push(`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`);
    if (family.type === "histogram") {
      for (const sample of family.samples) lines.push(...histogramLines(name, sample));
    } else {
      for (const { labels, value } of family.samples) {
        lines.push(`${name}${formatLabels(labels)} ${formatNumber(value)}`);
      }
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}
