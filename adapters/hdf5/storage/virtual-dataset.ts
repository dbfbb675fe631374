/**
 * Virtual datasets: elements of other datasets, read and written where they are.
 *
 *     virtual dataset   ┌────────────┬────────────┬──────┐
 *                       │ a.h5:/data │ b.h5:/data │ fill │
 *                       └────────────┴────────────┴──────┘
 *
 * A source that is missing, or smaller than its mapping, shows the fill value. With an endless selection there is
 * as much as its sources have; with `%b` in a name, each block of the selection has a source of its own, whose name
 * has the number of the block there, up to the first one that is missing.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { Datatype } from "../datatype/datatype.js";
import type { SpaceSelection, VirtualMapping } from "../description.js";
import { copyRuns, product, type Region, regionShape } from "../region.js";
import { elementNumbers, pointReads } from "./virtual-points.js";
import {
  axesOf,
  axisOfRuns,
  clipRuns,
  indexOfOrdinal,
  lengthOf,
  matchAxes,
  ordinalsWithin,
  type SelectionAxis,
  selectedRuns,
} from "./virtual-selection.js";

/** Blocks with a source of their own that a dataset may have. */
const BLOCKS_MAX = 1 << 20;

/** A dataset that elements come from. */
export interface VirtualSource {
  readonly type: Datatype;
  readonly extents: readonly number[];
  /** Reads a region, packed. */
  read(region: Region, target: Uint8Array): Promise<void>;
  /** Writes it. */
  write(region: Region, source: Uint8Array): Promise<void>;
}

/** A virtual dataset. */
export interface VirtualFacts {
  readonly name: string;
  readonly itemSize: number;
  readonly mappings: readonly VirtualMapping[];
  /** Extents that were given when it was made. */
  readonly shape: readonly number[];
  /** The source of a name, as elements of the dataset's type; `undefined` if there is none. */
  open(file: string, dataset: string): VirtualSource | undefined;
}

/** A mapping of one source. */
interface SourceMapping {
  readonly source: VirtualSource;
  readonly sourceSelection: SpaceSelection;
  readonly targetSelection: SpaceSelection;
}

/** A name with the number of a block in the place of `%b`; `%%` is a percent sign. */
function nameOfBlock(name: string, block: number): string {
  return name.replace(/%[%b]/g, (text) => (text === "%b" ? String(block) : "%"));
}

const hasBlockNumber = (name: string): boolean => /%b/.test(name.replaceAll("%%", ""));

/** The dimension along which a selection has no end. */
function endlessDimension(selection: SpaceSelection): number | undefined {
  if (selection.kind !== "hyperslab") return undefined;
  const { count, block } = selection.slab;
  const dimension = count.findIndex((number, at) => number === null || block[at] === null);
  return dimension < 0 ? undefined : dimension;
}

/** Whether each block of a mapping has a source of its own. */
function isOfBlocks({ file, dataset, source, target }: VirtualMapping): boolean {
  return (
    (hasBlockNumber(file) || hasBlockNumber(dataset)) &&
    endlessDimension(target) !== undefined &&
    endlessDimension(source) === undefined
  );
}

/** A selection with one block along a dimension. */
function blockOf(selection: SpaceSelection, dimension: number, number: number): SpaceSelection {
  if (selection.kind !== "hyperslab") return selection;
  const { start, stride, count, block } = selection.slab;
  const replace = <T>(list: readonly T[], value: T) =>
    list.map((one, at) => (at === dimension ? value : one));
  const first = (start[dimension] as number) + number * (stride[dimension] as number);
  return {
    kind: "hyperslab",
    slab: { start: replace(start, first), stride, count: replace(count, 1), block },
  };
}

function openBlock(
  { file, dataset }: VirtualMapping,
  facts: VirtualFacts,
  block: number,
): VirtualSource | undefined {
  return facts.open(nameOfBlock(file, block), nameOfBlock(dataset, block));
}

/** How many blocks of a mapping have a source, from the first one on. */
function countBlocks(mapping: VirtualMapping, facts: VirtualFacts): number {
  let count = 0;
  while (count < BLOCKS_MAX && openBlock(mapping, facts, count) !== undefined) count++;
  return count;
}

/** The mappings of sources that a region may touch. */
function* sourceMappings(region: Region, facts: VirtualFacts): Generator<SourceMapping> {
  for (const mapping of facts.mappings) {
    const { source: sourceSelection, target } = mapping;
    if (!touches(region, target, facts.shape)) continue;
    const dimension = isOfBlocks(mapping) ? endlessDimension(target) : undefined;
    if (dimension === undefined) {
      const source = openBlock(mapping, facts, 0);
      if (source !== undefined) yield { source, sourceSelection, targetSelection: target };
      continue;
    }
    const axis = axesOf(target, facts.shape)?.[dimension];
    const last = region[dimension]?.at(-1);
    const first = region[dimension]?.[0];
    if (axis === undefined || last === undefined || first === undefined) continue;
    const end = last.start + (last.count - 1) * last.stride + last.block;
    const low = Math.max(0, Math.floor((first.start - axis.start) / axis.stride));
    for (let block = low; axis.start + block * axis.stride < end; block++) {
      const targetSelection = blockOf(target, dimension, block);
      if (!touches(region, targetSelection, facts.shape)) continue;
      const source = openBlock(mapping, facts, block);
      if (source !== undefined) yield { source, sourceSelection, targetSelection };
    }
  }
}

/** Whether a selection may have elements in a region: sources of others are not opened. */
function touches(region: Region, selection: SpaceSelection, shape: readonly number[]): boolean {
  if (selection.kind === "none") return false;
  const axes = axesOf(selection, shape);
  if (axes === undefined) return true;
  return axes.every((axis, dimension) => {
    const parts = region[dimension] ?? [];
    const [first, last] = [parts[0], parts.at(-1)];
    if (first === undefined || last === undefined || lengthOf(axis) === 0) return false;
    const end = last.start + (last.count - 1) * last.stride + last.block;
    const axisEnd = indexOfOrdinal(axis, lengthOf(axis) - 1) + 1;
    return axis.start < end && !(axisEnd <= first.start);
  });
}

/** A part of a region that one region of a source holds. */
interface Piece {
  readonly source: VirtualSource;
  readonly region: Region;
  /** Copies the elements of the piece, packed, to their places in the region that was asked for. */
  scatter(piece: Uint8Array, target: Uint8Array): void;
  /** The other way round. */
  gather(piece: Uint8Array, source: Uint8Array): void;
  /** Elements of it that the region has; others of the piece's region are read for nothing. */
  readonly count: number;
}

function* piecesOf(region: Region, facts: VirtualFacts): Generator<Piece> {
  for (const mapping of sourceMappings(region, facts)) {
    const { extents } = mapping.source;
    const target = axesOf(mapping.targetSelection, facts.shape);
    const source = axesOf(mapping.sourceSelection, extents);
    const matched = target && source && matchAxes(target, source);
    if (target !== undefined && source !== undefined && matched !== undefined) {
      const piece = productPiece(region, { mapping, target, source, matched }, facts.itemSize);
      if (piece !== undefined) yield piece;
    } else yield* pointPieces(region, mapping, facts);
  }
}

/** What a region has of a mapping whose selections are products of the same extents. */
function productPiece(
  region: Region,
  {
    mapping,
    target,
    source,
    matched,
  }: {
    readonly mapping: SourceMapping;
    readonly target: readonly SelectionAxis[];
    readonly source: readonly SelectionAxis[];
    readonly matched: readonly (number | undefined)[];
  },
  itemSize: number,
): Piece | undefined {
  const { extents } = mapping.source;
  const sourceAxes = source.map((axis) => axisOfRuns([{ ordinal: 0, at: 0, length: 1 }], axis));
  const runs = target.map((axis, dimension) => {
    const all = selectedRuns(region[dimension] ?? [], axis);
    const sourceDimension = matched[dimension];
    if (sourceDimension === undefined) return all;
    const sourceAxis = source[sourceDimension] as SelectionAxis;
    const inside = clipRuns(all, sourceAxis, extents[sourceDimension] as number);
    sourceAxes[sourceDimension] = axisOfRuns(inside, sourceAxis);
    return inside;
  });
  if (runs.some((list) => list.length === 0)) return undefined;
  const isInside = source.every((axis, dimension) => axis.start < (extents[dimension] as number));
  if (!isInside) return undefined;
  const shape = runs.map((list) => list.reduce((sum, { length }) => sum + length, 0));
  const copies = runs.map((list) => {
    let from = 0;
    return list.flatMap(({ at, length }) => {
      from += length;
      return [from - length, at, length];
    });
  });
  const backwards = copies.map((list) =>
    list.map((_, at) => list[at % 3 === 0 ? at + 1 : at % 3 === 1 ? at - 1 : at] as number),
  );
  const asked = regionShape(region);
  return {
    source: mapping.source,
    region: sourceAxes,
    count: product(shape),
    scatter: (piece, to) =>
      copyRuns({ bytes: piece, extents: shape }, { bytes: to, extents: asked }, copies, itemSize),
    gather: (piece, from) =>
      copyRuns(
        { bytes: from, extents: asked },
        { bytes: piece, extents: shape },
        backwards,
        itemSize,
      ),
  };
}

/** What a region has of any other mapping. */
function* pointPieces(
  region: Region,
  { source, sourceSelection, targetSelection }: SourceMapping,
  { shape, itemSize }: VirtualFacts,
): Generator<Piece> {
  const target = { numbers: elementNumbers(targetSelection, shape), shape };
  const from = { numbers: elementNumbers(sourceSelection, source.extents), shape: source.extents };
  for (const { region: sourceRegion, places } of pointReads(region, target, from)) {
    const copy = (
      [bytes, at]: readonly [Uint8Array, number],
      [others, to]: readonly [Uint8Array, number],
    ) => {
      others.set(bytes.subarray(at * itemSize, (at + 1) * itemSize), to * itemSize);
    };
    yield {
      source,
      region: sourceRegion,
      count: places.length,
      scatter: (piece, asked) => {
        for (const [at, to] of places) copy([piece, at], [asked, to]);
      },
      gather: (piece, asked) => {
        for (const [at, to] of places) copy([asked, to], [piece, at]);
      },
    };
  }
}

/**
 * Reads a region of a virtual dataset, packed. What no source has stays as it is.
 *
 * @throws `DaosError` `DER_NOSYS` for a source whose elements cannot be converted; what reading a source throws.
 */
export async function readVirtual(
  region: Region,
  target: Uint8Array,
  facts: VirtualFacts,
): Promise<void> {
  for (const piece of piecesOf(region, facts)) {
    const bytes = new Uint8Array(product(regionShape(piece.region)) * facts.itemSize);
    await piece.source.read(piece.region, bytes);
    piece.scatter(bytes, target);
  }
}

/**
 * Writes a region of a virtual dataset to its sources.
 *
 * @throws `DaosError` `DER_INVAL` if no source has some of the elements: nothing was written; `DER_NOSYS` as
 *   {@link readVirtual}; what writing a source throws.
 */
export async function writeVirtual(
  region: Region,
  source: Uint8Array,
  facts: VirtualFacts,
): Promise<void> {
  const pieces = [...piecesOf(region, facts)];
  const count = product(regionShape(region));
  const mapped = pieces.reduce((sum, piece) => sum + piece.count, 0);
  if (mapped < count) {
    const text = {
      what: `Writing virtual dataset "${facts.name}"`,
      why: `of ${count} elements, no source has ${count - mapped}`,
      remedy: "make the sources that are missing or too small, or write what is mapped only",
    };
    throw new DaosError("DER_INVAL", text, { name: facts.name });
  }
  for (const piece of pieces) {
    const pieceCount = product(regionShape(piece.region));
    const bytes = new Uint8Array(pieceCount * facts.itemSize);
    if (piece.count < pieceCount) await piece.source.read(piece.region, bytes);
    piece.gather(bytes, source);
    await piece.source.write(piece.region, bytes);
  }
}

/** The extent that a mapping without end gives its dimension now. */
function endlessExtent(mapping: VirtualMapping, facts: VirtualFacts, dimension: number): number {
  const axis = axesOf(mapping.target, facts.shape)?.[dimension];
  if (axis === undefined) return 0;
  let ordinals: number;
  if (isOfBlocks(mapping)) ordinals = countBlocks(mapping, facts) * axis.block;
  else {
    const source = openBlock(mapping, facts, 0);
    const from = endlessDimension(mapping.source);
    if (source === undefined || from === undefined) return 0;
    const sourceAxis = axesOf(mapping.source, source.extents)?.[from];
    if (sourceAxis === undefined) return 0;
    ordinals = ordinalsWithin(sourceAxis, source.extents[from] as number);
  }
  return ordinals === 0 ? 0 : indexOfOrdinal(axis, ordinals - 1) + 1;
}

/** Whether the extents depend on those of sources. */
export function growsWithSources(mappings: readonly VirtualMapping[]): boolean {
  return mappings.some(({ target }) => endlessDimension(target) !== undefined);
}

/** The extents that a virtual dataset has now: those of its sources where its mappings have no end. */
export function virtualExtents(facts: VirtualFacts): readonly number[] {
  const { shape, mappings } = facts;
  const endless = new Array<number | undefined>(shape.length).fill(undefined);
  const least = shape.map(() => 0);
  for (const mapping of mappings) {
    const dimension = endlessDimension(mapping.target);
    if (dimension !== undefined) {
      const extent = endlessExtent(mapping, facts, dimension);
      endless[dimension] = Math.max(endless[dimension] ?? 0, extent);
    }
    const axes = axesOf(mapping.target, shape) ?? [];
    for (const [at, axis] of axes.entries()) {
      if (at === dimension || lengthOf(axis) === 0) continue;
      const end = indexOfOrdinal(axis, lengthOf(axis) - 1) + 1;
      least[at] = Math.max(least[at] as number, end);
    }
  }
  return shape.map((extent, dimension) => {
    const grown = endless[dimension];
    return grown === undefined ? extent : Math.max(grown, least[dimension] as number);
  });
}
