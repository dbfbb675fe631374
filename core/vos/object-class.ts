/**
 * Object classes: over how many targets an object is spread, and how it is protected.
 *
 *     S2          2 groups of 1 target           RP_3G4      4 groups of 3 copies
 *     SX          as many groups as there are targets        EC_4P2G1    1 group of 4 + 2 cells
 *
 * A class is DAOS's number, redundancy << 24 | groups, and lies in the redundancy and groups of an
 * object's id (object-id.ts). X is resolved to a number when an id is made; the object never grows later.
 * An id of class 0 was made before there were classes: it is one group on one target, as S1.
 *
 * @module
 */

import { DaosError } from "../errors.js";

/**
 * Kinds of redundancy with DAOS's numbers (P3 of erasure codes: ours).
 * Durable: DO NOT CHANGE THESE VALUES.
 */
const REDUNDANCY: Readonly<Record<string, { readonly id: number; readonly size: number }>> = {
  S: { id: 1, size: 1 },
  RP_2: { id: 8, size: 2 },
  RP_3: { id: 9, size: 3 },
  RP_4: { id: 10, size: 4 },
  RP_5: { id: 11, size: 5 },
  RP_6: { id: 12, size: 6 },
  RP_8: { id: 13, size: 8 },
  RP_12: { id: 14, size: 12 },
  RP_16: { id: 15, size: 16 },
  RP_24: { id: 16, size: 24 },
  RP_32: { id: 17, size: 32 },
  RP_48: { id: 18, size: 48 },
  RP_64: { id: 19, size: 64 },
  RP_128: { id: 20, size: 128 },
  EC_2P1: { id: 32, size: 3 },
  EC_2P2: { id: 33, size: 4 },
  EC_4P1: { id: 34, size: 5 },
  EC_4P2: { id: 35, size: 6 },
  EC_8P1: { id: 36, size: 9 },
  EC_8P2: { id: 37, size: 10 },
  EC_16P1: { id: 38, size: 17 },
  EC_16P2: { id: 39, size: 18 },
  EC_4P3: { id: 40, size: 7 },
  EC_8P3: { id: 41, size: 11 },
  EC_16P3: { id: 42, size: 19 },
};

const GROUPS_X = 0xffff;
const GROUP_COUNTS = [1, 2, 4, 6, 8, 12, 16, 32] as const;
const REDUNDANCY_SHIFT = 2 ** 24;
/** Copies for reading only: one group. */
const SINGLE_GROUP = /^RP_(12|16|24|32|48|64|128)$/;

function makeTable(): Readonly<Record<string, number>> {
  const table: Record<string, number> = {};
  for (const [name, { id }] of Object.entries(REDUNDANCY)) {
    if (name === "RP_8") continue;
    const prefix = name === "S" ? "S" : `${name}G`;
    const counts = SINGLE_GROUP.test(name) ? [1] : GROUP_COUNTS;
    for (const count of counts) table[`${prefix}${count}`] = id * REDUNDANCY_SHIFT + count;
    if (!SINGLE_GROUP.test(name)) table[`${prefix}X`] = id * REDUNDANCY_SHIFT + GROUPS_X;
  }
  return table;
}

/** All named object classes: DAOS's number of each, by name (`S1`, `SX`, `RP_2G1`, `EC_4P2GX`, ...). */
export const ObjectClass: Readonly<Record<string, number>> = makeTable();

/** What shape the caller wants when the class is chosen for an object. */
export interface ClassHints {
  /** How it is protected; by the container's `rd_fac` by default. */
  readonly redundancy?: "none" | "replication" | "erasure";
  /** Over how many targets it is spread: at most 4, a quarter, half, most, all. */
  readonly shards?: "tiny" | "regular" | "high" | "extreme" | "max";
}

function invalid(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what, why, remedy });
}

/**
 * The number of a class.
 *
 * @param name Such as `SX`, `RP_2G1` or `EC_4P2GX`; any number of groups up to 65,534.
 * @throws {@link DaosError} `DER_INVAL` if there is no such class.
 */
export function parseObjectClass(name: string): number {
  const match = /^(S|(?:RP_\d+|EC_\d+P\d+)G)(X|[1-9]\d*)$/.exec(name);
  const family = match?.[1] === "S" ? "S" : match?.[1]?.slice(0, -1);
  const kind = family === undefined ? undefined : REDUNDANCY[family];
  const groups = match?.[2] === "X" ? GROUPS_X : Number(match?.[2]);
  const isValid = groups < GROUPS_X || match?.[2] === "X";
  if (kind !== undefined && isValid) return kind.id * REDUNDANCY_SHIFT + groups;
  const remedy = "use a name of ObjectClass, such as S1, SX, RP_2G1 or EC_4P2GX";
  throw invalid(`Choosing object class "${name}"`, "there is no such class", remedy);
}

/** The parts of a class; `undefined` if its number is of none. */
function partsOf(
  objectClass: number,
): { family: string; size: number; groups: number } | undefined {
  const id = Math.floor(objectClass / REDUNDANCY_SHIFT);
  const groups = objectClass % REDUNDANCY_SHIFT;
  const found = Object.entries(REDUNDANCY).find(([, kind]) => kind.id === id);
  if (found === undefined || groups < 1 || groups > GROUPS_X) return undefined;
  return { family: found[0], size: found[1].size, groups };
}

/**
 * The name of a class.
 *
 * @returns `unknown` for 0, and for a number that no class has.
 */
export function formatObjectClass(objectClass: number): string {
  const parts = partsOf(objectClass);
  if (parts === undefined) return "unknown";
  const groups = parts.groups === GROUPS_X ? "X" : String(parts.groups);
  return parts.family === "S" ? `S${groups}` : `${parts.family}G${groups}`;
}

/**
 * Checks a class against the targets of a pool and resolves X to a number of groups.
 *
 * @param targets Targets of the pool; an embedded pool has one.
 * @throws {@link DaosError} `DER_INVAL` if the class needs more targets than there are.
 */
export function resolveObjectClass(objectClass: number, targets: number): number {
  const parts = partsOf(objectClass);
  if (parts === undefined) {
    const what = `Choosing object class ${objectClass}`;
    throw invalid(what, "there is no such class", "use a number of ObjectClass");
  }
  const groups = parts.groups === GROUPS_X ? Math.floor(targets / parts.size) : parts.groups;
  if (groups >= 1 && groups * parts.size <= targets) {
    return Math.floor(objectClass / REDUNDANCY_SHIFT) * REDUNDANCY_SHIFT + groups;
  }
  const needed = parts.size * Math.max(1, groups);
  const name = formatObjectClass(objectClass);
  throw new DaosError(
    "DER_INVAL",
    {
      what: `Choosing object class ${name}`,
      why: `it needs ${needed} targets and the pool has ${targets}`,
      remedy:
        targets === 1 ? "use S1 or SX: an embedded pool has one target" : "use a smaller class",
    },
    { objectClass: name, needed, targets },
  );
}

/** What a class is chosen by. */
export interface ClassChoice {
  /** Failures that objects must survive: the container's `rd_fac`, 0 to 4. */
  readonly redundancyFactor: number;
  /** Whether the object is an array (or a key-value store, for the second flag). */
  readonly isArray: boolean;
  readonly isKeyValue: boolean;
  /** Failure domains of the pool. */
  readonly domains: number;
  readonly targets: number;
  readonly hints?: ClassHints;
}

/** Groups that a hint means. */
function groupsOf(shards: ClassHints["shards"], targets: number, size: number): number | undefined {
  if (shards === undefined) return undefined;
  const most = Math.max(1, Math.floor(targets / size));
  if (shards === "max") return most;
  if (shards === "tiny") return Math.min(4, most);
  const share = { regular: [128, 0.25], high: [256, 0.5], extreme: [1024, 0.8] }[shards];
  const [least, part] = share as [number, number];
  return Math.max(1, Math.min(most, Math.floor(Math.max(least, targets * part) / size)));
}

/** The name of the redundancy that a choice leads to, and whether all targets are used. */
function familyOf({ redundancyFactor, isArray, isKeyValue, domains, hints }: ClassChoice): {
  family: string;
  isWide: boolean;
} {
  const isWide = isArray || isKeyValue;
  const redundancy = hints?.redundancy;
  if (redundancyFactor === 0 && (redundancy ?? "none") === "none") return { family: "S", isWide };
  const factor = Math.max(1, redundancyFactor);
  const copies = { 1: 2, 2: 3, 3: 4, 4: 6 }[factor] as number;
  const mayCode = factor <= 2 && redundancy !== "replication";
  if (mayCode && (isArray || redundancy === "erasure")) {
    const data = domains >= 10 ? 8 : domains >= 6 ? 4 : 2;
    return { family: `EC_${data}P${factor}`, isWide: true };
  }
  return { family: `RP_${copies}`, isWide };
}

/**
 * Chooses a class as DAOS does: by the redundancy factor, the kind of object and hints.
 *
 * @returns A class with its number of groups.
 * @throws {@link DaosError} `DER_INVAL` if the pool has too few targets for the redundancy.
 */
export function chooseObjectClass(choice: ClassChoice): number {
  const { family, isWide } = familyOf(choice);
  const { id, size } = REDUNDANCY[family] as { id: number; size: number };
  const hinted = groupsOf(choice.hints?.shards, choice.targets, size);
  const groups = hinted ?? (isWide ? GROUPS_X : 1);
  return resolveObjectClass(id * REDUNDANCY_SHIFT + groups, choice.targets);
}
