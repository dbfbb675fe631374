/**
 * What the message of a batch says of its body: its columns' rows and nulls, and where their buffers lie.
 *
 * @module
 */

import { Message as FlatMessage } from "apache-arrow/fb/message";
import { RecordBatch as FlatBatch } from "apache-arrow/fb/record-batch";
import type { RecordBatch } from "apache-arrow/ipc/metadata/message";
import { ByteBuffer } from "flatbuffers";

/** Rows of a column, or of one that is nested in it. */
export interface Node {
  readonly length: number;
  readonly nullCount: number;
}

/** Where a buffer lies in a body, in bytes. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

/** What a message says of its body, in the order of the columns. */
export interface BodyLayout {
  /** `undefined` behind the last one. */
  node(index: number): Node | undefined;
  /** `undefined` behind the last one. */
  region(index: number): Region | undefined;
  readonly regionCount: number;
  /** Buffers that follow a column of views; 0 behind the last one. */
  variadicCount(index: number): number;
}

/** The layout that a decoded header has. */
export function decodedLayout({ nodes, buffers, variadicBufferCounts }: RecordBatch): BodyLayout {
  return {
    node: (index) => nodes[index],
    region: (index) => buffers[index],
    regionCount: buffers.length,
    variadicCount: (index) => variadicBufferCounts[index] ?? 0,
  };
}

/** Bytes of a node, and of a region: two numbers of 64 bits. */
const PAIR_SIZE = 16;

/** A number of 64 bits. */
function longAt(view: DataView, position: number): number {
  return view.getUint32(position, true) + view.getInt32(position + 4, true) * 2 ** 32;
}

/** Numbers of 64 bits that lie one behind the other in a flatbuffer. */
class StoredLayout implements BodyLayout {
  readonly #view: DataView;
  readonly #nodes: number;
  readonly #nodeCount: number;
  readonly #regions: number;
  readonly regionCount: number;
  readonly #batch: FlatBatch;

  constructor(bytes: Uint8Array, batch: FlatBatch) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#nodeCount = batch.nodesLength();
    this.#nodes = batch.nodes(0)?.bb_pos ?? 0;
    this.regionCount = batch.buffersLength();
    this.#regions = batch.buffers(0)?.bb_pos ?? 0;
    this.#batch = batch;
  }

  node(index: number): Node | undefined {
    if (index >= this.#nodeCount) return undefined;
    const at = this.#nodes + index * PAIR_SIZE;
    return { length: longAt(this.#view, at), nullCount: longAt(this.#view, at + 8) };
  }

  region(index: number): Region | undefined {
    if (index >= this.regionCount) return undefined;
    const at = this.#regions + index * PAIR_SIZE;
    return { offset: longAt(this.#view, at), length: longAt(this.#view, at + 8) };
  }

  variadicCount(index: number): number {
    const isThere = index < this.#batch.variadicBufferCountsLength();
    return isThere ? Number(this.#batch.variadicBufferCounts(index)) : 0;
  }
}

/**
 * The layout of a batch that was written and checked here before. Only what is asked for is decoded: of a wide table,
 * most columns are passed over.
 *
 * @param bytes The metadata of the batch's message. It is not verified.
 * @returns The layout, and the type of its compression, if any.
 */
export function storedLayout(bytes: Uint8Array): {
  readonly layout: BodyLayout;
  readonly compressionType: number | undefined;
} {
  const batch = new FlatBatch();
  FlatMessage.getRootAsMessage(new ByteBuffer(bytes)).header(batch);
  const compressionType = batch.compression()?.codec();
  return { layout: new StoredLayout(bytes, batch), compressionType };
}
