/**
 * Messages as gRPC frames them.
 *
 *     u8 compressed (0), u32 size (big-endian), message
 *
 * @module
 */

import { JOINED_PIECE_SIZE_MAX } from "../limits.js";

/** Bytes in one piece or in several. */
export interface Scattered {
  readonly byteLength: number;
  readonly pieces?: readonly Uint8Array[];
}

const PREFIX_SIZE = 5;

/** The parts of a frame, to be sent one behind the other: large pieces as they are, small ones copied together. */
export function framesOf(message: Scattered): Uint8Array[] {
  const prefix = Buffer.alloc(PREFIX_SIZE);
  prefix.writeUInt32BE(message.byteLength, 1);
  const frames: Uint8Array[] = [];
  let small: Uint8Array[] = [prefix];
  for (const piece of message.pieces ?? [message as Uint8Array]) {
    if (piece.length <= JOINED_PIECE_SIZE_MAX) {
      small.push(piece);
      continue;
    }
    if (small.length > 0) frames.push(Buffer.concat(small));
    small = [];
    frames.push(piece);
  }
  if (small.length > 0) frames.push(Buffer.concat(small));
  return frames;
}
