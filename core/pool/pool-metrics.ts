/**
 * The metrics of a pool: what is true of its files, whoever asks.
 *
 * @module
 */

import type { MetricFamily, MetricSample } from "../metrics/registry.js";
import type { PoolInfo } from "./pool-options.js";

/** What a pool's index and files say, as gauges with the pool's label. */
export function poolFamilies(info: PoolInfo): MetricFamily[] {
  const pool = info.label;
  const gauge = (name: string, help: string, samples: readonly MetricSample[]): MetricFamily => {
    return { name: `daos_pool_${name}`, help, type: "gauge", samples };
  };
  const space: MetricSample[] = [];
  for (const tier of ["scm", "nvme"] as const) {
    for (const kind of ["total", "used", "live", "recyclable", "free"] as const) {
      space.push({ labels: { pool, tier, kind }, value: info[tier][kind] });
    }
  }
  const segments = (["leased", "sealed", "free"] as const).map((state) => {
    return { labels: { pool, state }, value: info.segments[state] };
  });
  const one = (value: number) => [{ labels: { pool }, value }];
  return [
    gauge("space_bytes", "Space of a pool by tier and kind.", space),
    gauge("segments", "Segments of a pool by state.", segments),
    gauge("containers", "Containers of a pool.", one(info.containers)),
    gauge("open_handles", "Open handles of a pool.", one(info.openHandles)),
    gauge("writers", "Writers of a pool.", one(info.writers.length)),
    gauge("unclean_containers", "Containers with damage.", one(info.unclean.length)),
  ];
}
