/**
 * Sizes, counts and times for people; and sizes that people write.
 *
 *     humanSize(1_610_612_736)   "1.5 GiB"        parseSize("1.5 GiB")   1_610_612_736
 *
 * @module
 */

import { InvalidArgumentError } from "commander";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;
/** Exponents of 1024, or of 1000 for the units of the SI. */
const BINARY = ["", "k", "m", "g", "t", "p"];

/** A size in bytes with three digits and a binary unit. */
export function humanSize(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${value} B`;
  return `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]}`;
}

/**
 * A size that a person wrote: bytes, or a number with a unit. `K`, `KiB`: 1024; `KB`: 1000.
 *
 * @throws commander's `InvalidArgumentError`.
 */
export function parseSize(written: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*(?:([kmgtp]?)(i?b)?)$/i.exec(written.trim());
  const prefix = (match?.[2] ?? "").toLowerCase();
  const base = match?.[3]?.toLowerCase() === "b" && prefix !== "" ? 1000 : 1024;
  const size = Math.floor(Number(match?.[1]) * base ** BINARY.indexOf(prefix));
  if (match === null || !Number.isSafeInteger(size)) {
    throw new InvalidArgumentError("give a size such as 1048576, 512MiB, 1.5G or 2TB.");
  }
  return size;
}

/**
 * A whole number that a person wrote.
 *
 * @throws commander's `InvalidArgumentError`.
 */
export function parseCount(written: string): number {
  const count = Number(written);
  if (/^[0-9]+$/.test(written) && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError("give a whole number.");
}

/** A duration for people: "1h02m", "3m07s", "4.2 s", "850 ms". */
export function humanDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
}

/** Nanoseconds since 1970-01-01 UTC as ISO 8601, to the nanosecond where they are not whole ms. */
export function isoTime(nanoseconds: bigint): string {
  const ms = nanoseconds / 1_000_000n;
  const rest = nanoseconds % 1_000_000n;
  const iso = new Date(Number(ms)).toISOString();
  return rest <= 0n ? iso : iso.replace("Z", `${String(rest).padStart(6, "0")}Z`);
}

/** A count with its noun: "1 file", "2 files". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
