/**
 * Damage of one bit, as a device may do it.
 *
 * @module
 */

import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Flips a bit of the byte at a position of a file. */
export function flip(file: string, position: number): void {
  const fd = openSync(file, "r+");
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, position);
  writeSync(fd, Uint8Array.of((byte[0] as number) ^ 0x40), 0, 1, position);
  closeSync(fd);
}
