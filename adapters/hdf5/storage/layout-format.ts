/**
 * How elements are laid out, as a part of a dataset's header.
 *
 *     layout      u8 HDF5's class (0 compact, 1 contiguous, 2 chunked, 3 virtual; 4 external), u8 storage
 *                 (0 linear, 1 chunks, 2 none); then of
 *       chunked   u8 rank, rank x varint extent
 *       virtual   varint count; per mapping: text file, text dataset, selection of the source, of the target
 *       external  varint count; per file: text name, varint offset, varint 1 + size, or 0 for no limit
 *     selection   u8 HDF5's class (0 none, 1 points, 2 hyperslab, 3 all; 4 blocks); then of
 *       hyperslab u8 rank; per dimension: varint start, varint stride, varint 1 + count, varint 1 + block,
 *                 where 0 is no limit
 *       points    u8 rank, varint count, per point rank x varint
 *       blocks    u8 rank, varint count, per block rank x varint first, rank x varint one past the last
 *
 * With the primitives of `ByteWriter`.
 *
 * @module
 */

import type { ByteReader, ByteWriter } from "../../../core/index.js";
import type {
  Hyperslab,
  LayoutDescription,
  SpaceSelection,
  VirtualMapping,
} from "../description.js";
import { RANK_MAX } from "../messages/dataspace-message.js";

/** Durable: DO NOT CHANGE THESE VALUES. */
const LAYOUTS = ["compact", "contiguous", "chunked", "virtual", "external"] as const;
/** Durable: DO NOT CHANGE THESE VALUES. */
const SELECTIONS = ["none", "points", "hyperslab", "all", "blocks"] as const;
/** Durable: DO NOT CHANGE THESE VALUES. */
const STORAGES = ["linear", "chunks", "none"] as const;

/**
 * Where the elements are: in the object's array from byte 0 on, under a key for each chunk, or in other
 * datasets.
 */
export type Storage = (typeof STORAGES)[number];

function writeLimit(writer: ByteWriter, limit: number | null): void {
  writer.varint(limit === null ? 0 : limit + 1);
}

function readLimit(reader: ByteReader): number | null {
  const value = reader.varint();
  return value === 0 ? null : value - 1;
}

function readRank(reader: ByteReader): number {
  const rank = reader.u8();
  if (rank > RANK_MAX) throw reader.malformed(`it has ${rank} dimensions`);
  return rank;
}

function writeTuple(writer: ByteWriter, tuple: readonly number[]): void {
  for (const value of tuple) writer.varint(value);
}

function readTuple(reader: ByteReader, rank: number): number[] {
  return Array.from({ length: rank }, () => reader.varint());
}

/** Reads a count of things that take at least one byte each. */
function readCount(reader: ByteReader): number {
  const count = reader.varint();
  if (count > reader.remaining) throw reader.malformed(`it claims ${count} entries`);
  return count;
}

function writeSlab(writer: ByteWriter, { start, stride, count, block }: Hyperslab): void {
  writer.u8(start.length);
  for (let dimension = 0; dimension < start.length; dimension++) {
    writer.varint(start[dimension] as number).varint(stride[dimension] as number);
    writeLimit(writer, count[dimension] as number | null);
    writeLimit(writer, block[dimension] as number | null);
  }
}

function readSlab(reader: ByteReader): Hyperslab {
  const [start, stride]: number[][] = [[], []];
  const [count, block]: (number | null)[][] = [[], []];
  for (let rest = readRank(reader); rest > 0; rest--) {
    start?.push(reader.varint());
    stride?.push(reader.varint());
    count?.push(readLimit(reader));
    block?.push(readLimit(reader));
  }
  return { start, stride, count, block } as Hyperslab;
}

function writeSelection(writer: ByteWriter, selection: SpaceSelection): void {
  writer.u8(SELECTIONS.indexOf(selection.kind));
  if (selection.kind === "hyperslab") writeSlab(writer, selection.slab);
  if (selection.kind === "points") {
    const { points } = selection;
    writer.u8(points[0]?.length ?? 0).varint(points.length);
    for (const point of points) writeTuple(writer, point);
  }
  if (selection.kind === "blocks") {
    const { blocks } = selection;
    writer.u8(blocks[0]?.[0].length ?? 0).varint(blocks.length);
    for (const [first, end] of blocks) {
      writeTuple(writer, first);
      writeTuple(writer, end);
    }
  }
}

function readSelection(reader: ByteReader): SpaceSelection {
  const kind = SELECTIONS[reader.u8()];
  switch (kind) {
    case "none":
    case "all":
      return { kind };
    case "hyperslab":
      return { kind, slab: readSlab(reader) };
    case "points": {
      const rank = readRank(reader);
      const points = Array.from({ length: readCount(reader) }, () => readTuple(reader, rank));
      return { kind, points };
    }
    case "blocks": {
      const rank = readRank(reader);
      const readBlock = () => [readTuple(reader, rank), readTuple(reader, rank)] as const;
      return { kind, blocks: Array.from({ length: readCount(reader) }, readBlock) };
    }
    default:
      throw reader.malformed("the kind of a selection is not known");
  }
}

function readMapping(reader: ByteReader): VirtualMapping {
  const [file, dataset] = [reader.text(), reader.text()];
  return { file, dataset, source: readSelection(reader), target: readSelection(reader) };
}

/** Appends a layout. */
export function writeLayout(
  writer: ByteWriter,
  layout: LayoutDescription,
  storage: Storage,
): ByteWriter {
  writer.u8(LAYOUTS.indexOf(layout.kind)).u8(STORAGES.indexOf(storage));
  if (layout.kind === "chunked") {
    writer.u8(layout.chunkShape.length);
    writeTuple(writer, layout.chunkShape);
  }
  if (layout.kind === "virtual") {
    writer.varint(layout.mappings.length);
    for (const { file, dataset, source, target } of layout.mappings) {
      writer.text(file).text(dataset);
      writeSelection(writer, source);
      writeSelection(writer, target);
    }
  }
  if (layout.kind === "external") {
    writer.varint(layout.files.length);
    for (const { name, offset, size } of layout.files) {
      writeLimit(writer.text(name).varint(offset), size);
    }
  }
  return writer;
}

/** The next layout. */
export function readLayout(reader: ByteReader): { layout: LayoutDescription; storage: Storage } {
  const kind = LAYOUTS[reader.u8()];
  const storage = STORAGES[reader.u8()];
  if (kind === undefined || storage === undefined)
    throw reader.malformed("its layout is not known");
  switch (kind) {
    case "chunked":
      return { layout: { kind, chunkShape: readTuple(reader, readRank(reader)) }, storage };
    case "virtual": {
      const mappings = Array.from({ length: readCount(reader) }, () => readMapping(reader));
      return { layout: { kind, mappings }, storage };
    }
    case "external": {
      const files = Array.from({ length: readCount(reader) }, () => {
        const [name, offset] = [reader.text(), reader.varint()];
        return { name, offset, size: readLimit(reader) };
      });
      return { layout: { kind, files }, storage };
    }
    default:
      return { layout: { kind }, storage };
  }
}
