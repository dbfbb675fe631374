/**
 * Dates, times and timestamps as ISO 8601 text, to the last digit of their unit.
 *
 * @module
 */

const SECONDS_PER_DAY = 86_400n;
/** Milliseconds that a `Date` counts from 1970 at most. */
const DATE_MS_MAX = 8_640_000_000_000_000n;

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** A count of units since 1970 as text: `2026-02-03T04:05:06.789`; its number, where no year is that long. */
export function isoTimestamp(value: bigint, perSecond: bigint, zone: "" | "Z"): string {
  const seconds = floorDivide(value, perSecond);
  const rest = value - seconds * perSecond;
  const ms = seconds * 1000n;
  if (ms > DATE_MS_MAX || ms < -DATE_MS_MAX) return String(value);
  const text = new Date(Number(ms)).toISOString().slice(0, -5);
  const digits = String(perSecond).length - 1;
  return `${text}${digits > 0 ? `.${String(rest).padStart(digits, "0")}` : ""}${zone}`;
}

/** Days since 1970 as text: `2026-02-03`. */
export function isoDate(days: bigint): string {
  return isoTimestamp(days * SECONDS_PER_DAY, 1n, "").split("T")[0] as string;
}

/** Units since midnight as text: `04:05:06.789`. */
export function isoTime(value: bigint, perSecond: bigint): string {
  const isOfDay = value >= 0n && value < SECONDS_PER_DAY * perSecond;
  return isOfDay ? (isoTimestamp(value, perSecond, "").split("T")[1] as string) : String(value);
}

const DATE = /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;
const ZONE = /(Z|[+-]\d\d(?::?\d\d)?)$/;

/** Days since 1970 of a date; `undefined` if it is none. */
export function parseDate(text: string): bigint | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? BigInt(date.getTime() / 86_400_000) : undefined;
}

/** Units since midnight of a time; `undefined` if it is none, or has more digits than the unit. */
export function parseTime(text: string, perSecond: bigint): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [hour, minute, second] = [match[1], match[2], match[3] ?? "0"].map(Number) as number[];
  if ((hour as number) > 23 || (minute as number) > 59 || (second as number) > 59) return undefined;
  const digits = String(perSecond).length - 1;
  const fraction = (match[4] ?? "").replace(/0+$/, "");
  if (fraction.length > digits) return undefined;
  const whole = BigInt((hour as number) * 3600 + (minute as number) * 60 + (second as number));
  return whole * perSecond + BigInt(fraction.padEnd(digits, "0") || "0");
}

/** A timestamp, taken apart. */
export interface ParsedTimestamp {
  /** Units since 1970, in UTC if it has a zone. */
  readonly value: bigint;
  readonly hasZone: boolean;
}

/** A timestamp, `2026-02-03T04:05:06.789Z`, with or without a zone, or a date; `undefined` if it is none. */
export function parseTimestamp(text: string, perSecond: bigint): ParsedTimestamp | undefined {
  const at = text.search(/[T ]/);
  const days = parseDate(at < 0 ? text : text.slice(0, at));
  if (days === undefined) return undefined;
  const start = days * SECONDS_PER_DAY * perSecond;
  if (at < 0) return { value: start, hasZone: false };
  const rest = text.slice(at + 1);
  const zone = ZONE.exec(rest)?.[1];
  const time = parseTime(zone === undefined ? rest : rest.slice(0, -zone.length), perSecond);
  if (time === undefined) return undefined;
  const minutes = zone === undefined || zone === "Z" ? 0 : minutesOf(zone);
  return { value: start + time - BigInt(minutes * 60) * perSecond, hasZone: zone !== undefined };
}

function minutesOf(zone: string): number {
  const digits = zone.slice(1).replace(":", "");
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || "0");
  return zone.startsWith("-") ? -minutes : minutes;
}
