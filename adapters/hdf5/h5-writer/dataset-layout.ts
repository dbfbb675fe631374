/**
 * Writes the elements of a dataset, and says in messages where they are.
 *
 *     layout, version 3   compact     u8 3, u8 0, u16 size, elements
 *                         contiguous  u8 3, u8 1, u64 address, u64 size; also of external files
 *                         chunked     u8 3, u8 2, u8 rank + 1, u64 B-tree, u32 extents, u32 bytes of an element
 *     layout, version 4   virtual     u8 4, u8 3, u64 address in the global heap, u32 item
 *
 * Source: HDF5 File Format Specification, sections IV.A.2.i (layout) and IV.C (virtual datasets).
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { DIRECT_SIZE_MIN } from "../../local/limits.js";
import { hasReferences, hasSlots } from "../datatype/datatype.js";
import type { LayoutDescription, SourceDataset, VirtualMapping } from "../description.js";
import { lookup3 } from "../h5-file/lookup3.js";
import { FieldWriter } from "../messages/field-codec.js";
import { linearBoxes } from "./boxes.js";
import { writeChunks } from "./dataset-chunks.js";
import { ElementSource } from "./element-source.js";
import { externalFilesMatch, writeExternalFiles } from "./external-files.js";
import { UNDEFINED_ADDRESS } from "./fields.js";
import { MESSAGE_SIZE_MAX } from "./limits.js";
import { MESSAGE, type Message } from "./object-header.js";
import { encodeSelection } from "./selection-codec.js";
import type { WriteContext } from "./write-context.js";

const VERSION = 3;
const VIRTUAL_VERSION = 4;
const CLASS = { compact: 0, contiguous: 1, chunked: 2, virtual: 3 } as const;
/** Of a compact layout: version, class and size come first. */
const COMPACT_SIZE_MAX = MESSAGE_SIZE_MAX - 4;
const EXTENT_MAX = 0xffff_ffff;

/** What a dataset is written with. */
export interface DatasetPlace {
  readonly context: WriteContext;
  readonly dataset: SourceDataset;
  readonly path: string;
}

/** Writes the elements, and returns the messages that say where they are. */
export async function writeLayout(place: DatasetPlace): Promise<Message[]> {
  const { context, dataset, path } = place;
  const { layout, space } = dataset.description;
  const elements = new ElementSource(context, dataset, path);
  switch (layout.kind) {
    case "compact":
      if (elements.size <= COMPACT_SIZE_MAX) return [await compactLayout(place, elements)];
      context.counts.note(
        path,
        "DER_NOSYS",
        "it is too large for a compact layout: it is contiguous",
      );
      return [await contiguousLayout(place, elements)];
    case "contiguous":
      return [await contiguousLayout(place, elements)];
    case "external":
      return externalLayout(place, layout, elements);
    case "chunked":
      if (space.kind === "simple") return [await chunkedLayout(place, layout, elements)];
      context.counts.note(path, "DER_NOSYS", "it has no dimensions to cut: it is contiguous");
      return [await contiguousLayout(place, elements)];
    case "virtual":
      return [virtualLayout(place, layout.mappings)];
  }
}

const layoutMessage = (writer: FieldWriter): Message => ({
  type: MESSAGE.layout,
  body: writer.finish(),
});

async function compactLayout({ context }: DatasetPlace, elements: ElementSource): Promise<Message> {
  const writer = new FieldWriter(elements.size + 8).u8(VERSION).u8(CLASS.compact);
  writer.u16(elements.size);
  if (elements.size > 0) {
    const { shape } = elements;
    writer.raw(await elements.read({ start: shape.map(() => 0), shape }));
    await context.advance(elements.size);
  }
  return layoutMessage(writer);
}

const contiguousMessage = (address: number | bigint, size: number): Message =>
  layoutMessage(new FieldWriter(24).u8(VERSION).u8(CLASS.contiguous).u64(address).u64(size));

async function contiguousLayout(
  { context, dataset }: DatasetPlace,
  elements: ElementSource,
): Promise<Message> {
  const { size } = elements;
  // What was never written shows the fill value, here as there.
  const isWritten = dataset.storedSize !== 0 || dataset.description.fill.allocation === "early";
  if (size === 0 || !isWritten) return contiguousMessage(UNDEFINED_ADDRESS, size);
  const address = context.target.allocate(size);
  let at = address;
  for (const box of linearBoxes(elements.shape, elements.countMax)) {
    const bytes = await elements.read(box);
    // Long runs of zeros stay a hole.
    if (bytes.length < DIRECT_SIZE_MIN || !isZero(bytes)) context.target.write(at, bytes);
    at += bytes.length;
    await context.advance(bytes.length);
  }
  return contiguousMessage(address, size);
}

function isZero(bytes: Uint8Array): boolean {
  // The bytes equal themselves moved by one if all are as the first one: compared natively.
  if (bytes[0] !== 0) return false;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.compare(buffer, 1, buffer.length, 0, buffer.length - 1) === 0;
}

async function externalLayout(
  place: DatasetPlace,
  { files }: Extract<LayoutDescription, { kind: "external" }>,
  elements: ElementSource,
): Promise<Message[]> {
  const { context, dataset, path } = place;
  const { target } = context;
  const isPlain = !hasSlots(elements.type) && !hasReferences(elements.type);
  const { itemSize } = elements;
  const advance = (bytes: number) => context.advance(bytes);
  const common = { target, itemSize, advance };
  if (isPlain && (await externalFilesMatch(dataset, files, common))) {
    const message = writeExternalFiles(target, files);
    return [contiguousMessage(UNDEFINED_ADDRESS, elements.size), message];
  }
  const why = "its external files are not there, or hold something else";
  context.counts.note(path, "DER_NONEXIST", `${why}: its elements are in the file itself`);
  return [await contiguousLayout(place, elements)];
}

async function chunkedLayout(
  { context, dataset, path }: DatasetPlace,
  { chunkShape }: Extract<LayoutDescription, { kind: "chunked" }>,
  elements: ElementSource,
): Promise<Message> {
  const size = chunkShape.reduce((product, extent) => product * extent, elements.itemSize);
  if (size > EXTENT_MAX) {
    const text = {
      what: `Writing dataset "${path}"`,
      why: `its chunks have ${size} bytes, and HDF5 takes less than 4 GiB`,
      remedy: "store it in smaller chunks",
    };
    throw new DaosError("DER_REC2BIG", text, { path, size });
  }
  const tree = await writeChunks({ context, dataset, elements, chunkShape });
  const writer = new FieldWriter(64)
    .u8(VERSION)
    .u8(CLASS.chunked)
    .u8(chunkShape.length + 1);
  writer.u64(tree.write(context.target) ?? UNDEFINED_ADDRESS);
  for (const extent of chunkShape) writer.u32(extent);
  return layoutMessage(writer.u32(elements.itemSize));
}

/** The mappings are an item of the global heap; see `h5-file/virtual-mappings.ts`. */
function virtualLayout({ context }: DatasetPlace, mappings: readonly VirtualMapping[]): Message {
  const writer = new FieldWriter(24).u8(VIRTUAL_VERSION).u8(CLASS.virtual);
  if (mappings.length === 0) return layoutMessage(writer.u64(UNDEFINED_ADDRESS).u32(0));
  const list = new FieldWriter(256).u8(0).u64(mappings.length);
  for (const { file, dataset, source, target } of mappings) {
    list.cString(file).cString(dataset);
    encodeSelection(encodeSelection(list, source), target);
  }
  const { address, item } = context.heap.put(list.u32(lookup3(list.finish())).finish());
  return layoutMessage(writer.u64(address).u32(item));
}
