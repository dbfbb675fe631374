/**
 * The body of a batch or dictionary: where each buffer lies in it, and its header.
 *
 * @module
 */

import {
  RecordBatch as BatchHeader,
  BodyCompression,
  BufferRegion,
} from "apache-arrow/ipc/metadata/message";
import type { Assembled } from "./assemble.js";
import { COMPRESSION_TYPES, type Codec, type Compression, compressBuffer } from "./compression.js";
import { aligned } from "./messages.js";

const ZEROS = new Uint8Array(64);

/** How buffers are written. */
export interface BufferCodec {
  readonly compression: Compression;
  readonly codec: Codec;
}

/** A body, before it is written. */
export interface Body {
  readonly header: BatchHeader;
  /** In their order, each with the zeros that follow it. */
  readonly buffers: readonly Uint8Array[];
  /** Bytes of all of them. */
  readonly bodySize: number;
}

/** Gives each buffer its place, at a multiple of 64 bytes. */
export function bodyOf(
  { nodes, buffers, variadicCounts }: Assembled,
  length: number,
  codec: BufferCodec | undefined,
): Body {
  let end = 0;
  const regions: BufferRegion[] = [];
  const placed: Uint8Array[] = [];
  for (const buffer of buffers) {
    const stored = codec === undefined ? buffer : compressBuffer(codec.codec, buffer);
    regions.push(new BufferRegion(end, stored.length));
    const size = aligned(stored.length);
    if (stored.length > 0) placed.push(stored);
    if (size > stored.length) placed.push(ZEROS.subarray(0, size - stored.length));
    end += size;
  }
  const type = codec && new BodyCompression(COMPRESSION_TYPES[codec.compression]);
  const header = new BatchHeader(length, nodes, regions, type ?? null, variadicCounts);
  return { header, buffers: placed, bodySize: end };
}
