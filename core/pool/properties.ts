/**
 * Properties of pools and containers, with the names that DAOS gives them: values, defaults, limits.
 *
 * An embedded pool is one target on one machine. Properties that steer redundancy, rebuild, the metadata
 * service or background services of engines cannot act there: they are checked and stored, so that a pool
 * keeps what its administrator said. `PROPERTIES_ACTING` lists those that act.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { SNAPSHOTS_MAX } from "../limits.js";
import type { StoredProperty } from "../vos/metadata.js";

/** A property's value. */
export type PropertyValue = string | number;

/** Properties by name. */
export type Properties = Readonly<Record<string, PropertyValue>>;

interface Definition {
  readonly value: PropertyValue;
  /** `creation`: only when the pool or container is made; `never`: the store sets it. */
  readonly change: "always" | "creation" | "never";
  /** Why a value is impossible. */
  readonly check: (value: PropertyValue) => string | undefined;
}

function oneOf(...allowed: readonly string[]): Definition["check"] {
  return (value) =>
    allowed.includes(String(value)) ? undefined : `it can be ${allowed.join(", ")}`;
}

function within(least: number, most: number): Definition["check"] {
  return (value) => {
    const fits = typeof value === "number" && Number.isSafeInteger(value);
    if (fits && value >= least && value <= most) return undefined;
    return `it is a whole number from ${least} to ${most}`;
  };
}

/** One target survives no failure, whatever a class promises. */
function redundancyFactor(value: PropertyValue): string | undefined {
  const outside = within(0, 4)(value);
  if (outside !== undefined) return outside;
  return value === 0 ? undefined : "the pool has one target, which cannot survive its own failure";
}

function only(value: PropertyValue, why: string): Definition["check"] {
  return (given) => (given === value ? undefined : `it can only be ${value}: ${why}`);
}

const cellSize: Definition["check"] = (value) => {
  const outside = within(4096, 2 ** 30)(value);
  if (outside !== undefined) return outside;
  return (value as number) % 4096 === 0 ? undefined : "it is a multiple of 4096";
};

function always(value: PropertyValue, check: Definition["check"]): Definition {
  return { value, change: "always", check };
}

function creation(value: PropertyValue, check: Definition["check"]): Definition {
  return { value, change: "creation", check };
}

/** Properties of pools; label, owner, group and acl are beside them. */
export const POOL_PROPERTIES: Readonly<Record<string, Definition>> = {
  space_rb: always(5, within(0, 100)),
  self_heal: always(
    "exclude;rebuild",
    oneOf(
      "none",
      "exclude",
      "rebuild",
      "exclude;rebuild",
      "delay_rebuild",
      "exclude;delay_rebuild",
    ),
  ),
  reclaim: always("lazy", oneOf("disabled", "lazy", "time")),
  ec_cell_sz: always(65_536, cellSize),
  rd_fac: creation(0, redundancyFactor),
  ec_pda: always(1, within(1, 2 ** 31)),
  rp_pda: always(3, within(1, 2 ** 31)),
  perf_domain: creation("root", oneOf("root", "group")),
  data_thresh: always(4096, within(0, 2 ** 20)),
  svc_rf: creation(2, within(0, 4)),
  scrub: always("off", oneOf("off", "lazy", "timed")),
  scrub_freq: always(604_800, within(1, 2 ** 31)),
  scrub_thresh: always(0, within(0, 2 ** 31)),
  checkpoint: always("timed", oneOf("disabled", "timed", "lazy")),
  checkpoint_freq: always(5, within(1, 2 ** 20)),
  checkpoint_thresh: always(50, within(1, 75)),
  reintegration: always("data_sync", oneOf("data_sync", "no_data_sync", "incremental")),
  svc_ops_enabled: always(1, within(0, 1)),
  svc_ops_entry_age: always(300, within(60, 600)),
};

const LAYOUTS = [
  "unknown",
  "POSIX",
  "HDF5",
  "PYTHON",
  "SPARK",
  "DATABASE",
  "ROOT",
  "SEISMIC",
  "METEO",
];

/** Properties of containers; label, owner, group and acl are beside them. */
export const CONTAINER_PROPERTIES: Readonly<Record<string, Definition>> = {
  layout_type: creation("unknown", oneOf(...LAYOUTS)),
  layout_ver: creation(1, within(0, 65_535)),
  cksum: creation("crc32c", only("crc32c", "all stored blocks have this checksum")),
  cksum_size: creation(32_768, only(32_768, "blocks of this size are checked")),
  srv_cksum: creation("on", only("on", "stored blocks are always checked")),
  chunk_size: always(1_048_576, within(1, 2 ** 40)),
  rd_fac: creation(0, redundancyFactor),
  rd_lvl: creation("node", oneOf("rank", "node")),
  max_snapshot: always(0, within(0, SNAPSHOTS_MAX)),
  dedup: creation("off", only("off", "equal blocks are not shared")),
  dedup_threshold: creation(4096, within(4096, 2 ** 30)),
  roots: always("", (value) =>
    /^([0-9a-f]+\.[0-9a-f]+(,|$)){0,4}$/.test(String(value))
      ? undefined
      : "it is up to 4 object ids as formatOid() prints them, with commas between",
  ),
  ec_cell_sz: creation(65_536, cellSize),
  ec_pda: creation(1, within(1, 2 ** 31)),
  rp_pda: creation(3, within(1, 2 ** 31)),
  perf_domain: creation("root", oneOf("root", "group")),
  scrubber_disabled: always(0, within(0, 1)),
  status: always("healthy", oneOf("healthy", "unclean")),
};

/** Properties that change what an embedded pool does. */
export const PROPERTIES_ACTING: readonly string[] = [
  ...["label", "owner", "group", "acl", "rd_fac", "status", "reclaim", "max_snapshot"],
];

function refused(what: string, name: string, why: string): DaosError {
  const remedy = "correct the property; nothing was changed";
  return new DaosError("DER_INVAL", { what, why: `property ${name}: ${why}`, remedy }, { name });
}

/**
 * Checks properties that a caller gives.
 *
 * @param isNew Whether the pool or container is being created.
 * @throws {@link DaosError} `DER_INVAL`, with the name and why.
 */
export function checkProperties(
  what: string,
  table: Readonly<Record<string, Definition>>,
  given: Properties,
  isNew: boolean,
): Map<string, StoredProperty> {
  const checked = new Map<string, StoredProperty>();
  for (const [name, value] of Object.entries(given)) {
    const definition = Object.hasOwn(table, name) ? table[name] : undefined;
    if (definition === undefined) throw refused(what, name, "there is no such property");
    if (typeof value !== typeof definition.value) {
      throw refused(what, name, `it is a ${typeof definition.value}, not ${JSON.stringify(value)}`);
    }
    const why = definition.check(value);
    if (why !== undefined) throw refused(what, name, `${JSON.stringify(value)}: ${why}`);
    if (!isNew && definition.change !== "always") {
      throw refused(what, name, "it is fixed at creation");
    }
    checked.set(name, value);
  }
  return checked;
}

/** All properties of a table, with the stored ones in the place of defaults. */
export function completeProperties(
  table: Readonly<Record<string, Definition>>,
  stored: ReadonlyMap<string, StoredProperty>,
): Record<string, PropertyValue> {
  const all: Record<string, PropertyValue> = {};
  for (const [name, { value }] of Object.entries(table)) all[name] = stored.get(name) ?? value;
  return all;
}
