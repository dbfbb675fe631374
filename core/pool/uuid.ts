/**
 * UUIDs of pools and containers: 16 random bytes, version 4.
 *
 * @module
 */

import type { Device } from "../device/device.js";

/** A new UUID. */
export function randomUuid(device: Device): Uint8Array {
  const uuid = device.random(16);
  uuid[6] = ((uuid[6] as number) & 0x0f) | 0x40;
  uuid[8] = ((uuid[8] as number) & 0x3f) | 0x80;
  return uuid;
}

/** A UUID as text: 8-4-4-4-12 hexadecimal digits. */
export function formatUuid(uuid: Uint8Array): string {
  const hex = Buffer.from(uuid).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
