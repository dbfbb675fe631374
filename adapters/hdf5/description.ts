/**
 * What an HDF5 object is, wherever it lies: in a container or in an `.h5` file.
 *
 * Import, export, comparison and listing know files only by these interfaces, so that each of them
 * works on both:
 *
 *     .h5 file --\                      /--> file in a container
 *                 >-- Hdf5Source -- copy
 *     container -/                      \--> .h5 file, list, dump, compare
 *
 * @module
 */

import type { CharacterSet, Datatype } from "./datatype/datatype.js";

/** Extents of elements. */
export type Dataspace =
  | {
      /** Which kind this is. */
      readonly kind: "null";
    }
  | {
      /** Which kind this is. */
      readonly kind: "scalar";
    }
  | {
      /** Which kind this is. */
      readonly kind: "simple";
      /** Extent along each dimension, slowest first. */
      readonly shape: readonly number[];
      /** Most that each may become; `null` is no limit. The shape itself if it cannot be resized. */
      readonly maxShape: readonly (number | null)[];
    };

/** One filter of a pipeline, as HDF5 registers it. */
export interface FilterDescription {
  /** HDF5's number: 1 deflate, 2 shuffle, 3 fletcher32, 4 szip, 5 nbit, 6 scaleoffset, 32000 lzf ... */
  readonly id: number;
  /** Name that the writer of the file gave, or `""`. */
  readonly name: string;
  /** Whether a chunk that the filter cannot take is stored without it. */
  readonly isOptional: boolean;
  /** The filter's own parameters. */
  readonly parameters: readonly number[];
}

/** What elements that were never written show. */
export interface FillDescription {
  /** When space is allocated. */
  readonly allocation: "default" | "early" | "late" | "incremental";
  /** When it is filled. */
  readonly time: "alloc" | "never" | "ifset";
  /**
   * One element; `undefined` is the default, zeros; `null` is none at all. Of types with slots: see
   * {@link RawElements}.
   */
  readonly value: RawElements | null | undefined;
}

/** A box of elements repeated along each dimension: HDF5's regular hyperslab. */
export interface Hyperslab {
  /** First index along each dimension. */
  readonly start: readonly number[];
  /** From the begin of a block to that of the next. */
  readonly stride: readonly number[];
  /** Number of blocks; `null` is as many as there are. */
  readonly count: readonly (number | null)[];
  /** Extent of a block. */
  readonly block: readonly (number | null)[];
}

/** Elements of a dataspace. */
export type SpaceSelection =
  | {
      /** Which kind this is. */
      readonly kind: "all";
    }
  | {
      /** Which kind this is. */
      readonly kind: "none";
    }
  | {
      /** Which kind this is. */
      readonly kind: "hyperslab";
      /** The boxes. */
      readonly slab: Hyperslab;
    }
  /** Boxes that form no regular pattern: first and one past last index of each. */
  | {
      /** Which kind this is. */
      readonly kind: "blocks";
      /** First and one past last index of each. */
      readonly blocks: readonly (readonly [readonly number[], readonly number[]])[];
    }
  | {
      /** Which kind this is. */
      readonly kind: "points";
      /** Their indices, in their order. */
      readonly points: readonly (readonly number[])[];
    };

/** A part of a virtual dataset, and where its elements are. */
export interface VirtualMapping {
  /** File name, `.` for the file itself; may hold `%b`. */
  readonly file: string;
  /** Path of the dataset in that file; may hold `%b`. */
  readonly dataset: string;
  /** Elements of the source. */
  readonly source: SpaceSelection;
  /** Elements of the virtual dataset. */
  readonly target: SpaceSelection;
}

/** How elements are laid out. */
export type LayoutDescription =
  | {
      /** Which kind this is. */
      readonly kind: "compact";
    }
  | {
      /** Which kind this is. */
      readonly kind: "contiguous";
    }
  /** In raw files outside of the HDF5 file. */
  | {
      /** Which kind this is. */
      readonly kind: "external";
      /** In the order of their bytes. */
      readonly files: readonly {
        /** Its path. */
        readonly name: string;
        /** First byte in it. */
        readonly offset: number;
        /** Bytes of it; `null` is no limit. */
        readonly size: number | null;
      }[];
    }
  | {
      /** Which kind this is. */
      readonly kind: "chunked";
      /** Extents of a chunk. */
      readonly chunkShape: readonly number[];
    }
  | {
      /** Which kind this is. */
      readonly kind: "virtual";
      /** Where elements come from. */
      readonly mappings: readonly VirtualMapping[];
    };

/** Whether the order in which things were made is kept, and lists follow it. */
export interface CreationOrder {
  /** Whether it is kept. */
  readonly isTracked: boolean;
  /** Whether the file finds things by it at once. */
  readonly isIndexed: boolean;
}

/** What a dataset is, but for its elements and attributes. */
export interface DatasetDescription {
  /** Of an element. */
  readonly type: Datatype;
  /** Identity of the committed datatype that it uses, if it does. See {@link SourceObject.id}. */
  readonly committedType: string | undefined;
  /** Extents. */
  readonly space: Dataspace;
  /** Where elements are. */
  readonly layout: LayoutDescription;
  /** In the order in which they are applied when writing. */
  readonly filters: readonly FilterDescription[];
  /** What elements never written show. */
  readonly fill: FillDescription;
}

/**
 * Elements in memory as they are stored: packed, row-major, in the byte order of their type.
 *
 * Types of variable length are slots of 16 bytes: u32 count of elements (bytes, for text), u32 0, u64
 * index into `heap`, all little-endian; a count of 0 has no item. A reference to a region is u64 index
 * into `heap` and u32 0; its item is what {@link SourceRegion} says in JSON. Index 0 is none: where
 * there are references to regions, item 0 is empty. A reference to an object is a u64 that {@link Hdf5Source.resolve} understands; 0 is none.
 */
export interface RawElements {
  /** The elements. */
  readonly bytes: Uint8Array;
  /** Items that slots point to; items of nested types hold slots into the same heap. */
  readonly heap: readonly Uint8Array[];
}

/** What a reference to a region says. */
export interface SourceRegion {
  /** The dataset, as a reference to an object, in decimal digits. */
  readonly object: string;
  /** Elements of it. */
  readonly selection: SpaceSelection;
}

/** An attribute. */
export interface SourceAttribute {
  /** Its name. */
  readonly name: string;
  /** Encoding of its name. */
  readonly nameCharset: CharacterSet;
  /** Of an element. */
  readonly type: Datatype;
  /** Identity of the committed datatype that it uses, if it does. */
  readonly committedType: string | undefined;
  /** Extents. */
  readonly space: Dataspace;
  /** All its elements. */
  read(): Promise<RawElements>;
}

/** A box of elements: first index and extent along each dimension. */
export interface Box {
  /** First index along each dimension. */
  readonly start: readonly number[];
  /** Extents. */
  readonly shape: readonly number[];
}

/** A chunk as it is stored, filters applied. */
export interface StoredChunk {
  /** Index of its first element, along each dimension. */
  readonly start: readonly number[];
  /** Bit `i` is set if filter `i` was not applied. */
  readonly filterMask: number;
  /** As they are stored. */
  readonly bytes: Uint8Array;
}

interface SourceBase {
  /** Identity in the file: objects with several names have one. */
  readonly id: string;
  /** A reference to it, as elements hold it. */
  readonly reference: bigint;
  /** Whether the order of attributes is kept. */
  readonly attributeOrder: CreationOrder;
  /** Text that `H5Oset_comment` left. */
  readonly comment: string | undefined;
  /** In order of creation if that is tracked, else by name. */
  attributes(): AsyncIterable<SourceAttribute>;
}

/** A link of a group. */
export type SourceLink = {
  /** Its name. */
  readonly name: string;
  /** Encoding of its name. */
  readonly nameCharset: CharacterSet;
} & (
  | {
      /** Which kind this is. */
      readonly kind: "hard";
      /** Opens what it leads to. */
      open(): Promise<SourceObject>;
    }
  | {
      /** Which kind this is. */
      readonly kind: "soft";
      /** Path that it leads to. */
      readonly path: string;
      /** Opens what it leads to, if there is something, where the source can. */
      readonly follow?: () => Promise<SourceObject | undefined>;
    }
  | {
      /** Which kind this is. */
      readonly kind: "external";
      /** File that it leads to. */
      readonly file: string;
      /** Path that it leads to. */
      readonly path: string;
      /** Opens what it leads to, if there is something, where the source can. */
      readonly follow?: () => Promise<SourceObject | undefined>;
    }
  | {
      /** Which kind this is. */
      readonly kind: "user";
      /** Number of the kind, as registered with HDF5. */
      readonly type: number;
      /** What the kind makes of it. */
      readonly data: Uint8Array;
    }
);

/** A group. */
export interface SourceGroup extends SourceBase {
  /** Which kind this is. */
  readonly kind: "group";
  /** Whether the order of links is kept. */
  readonly linkOrder: CreationOrder;
  /** In order of creation if that is tracked, else by the bytes of their names. */
  links(): AsyncIterable<SourceLink>;
}

/** A dataset. */
export interface SourceDataset extends SourceBase {
  /** Which kind this is. */
  readonly kind: "dataset";
  /** All but its elements. */
  readonly description: DatasetDescription;
  /**
   * Reads a box; of a scalar, the box of no dimensions. Elements never written show the fill value.
   *
   * @param memory May be used for the elements, if it is large enough: new memory costs as much as reading.
   */
  read(box: Box, memory?: Uint8Array): Promise<RawElements>;
  /**
   * The chunks that exist, as they are stored, if the dataset is chunked and they can be had.
   *
   * @param memory May be used for each chunk, if it is large enough; the next one overwrites it.
   */
  storedChunks(memory?: Uint8Array): AsyncIterable<StoredChunk> | undefined;
  /** Bytes that its elements take, filters applied; `undefined` if that is not known. */
  readonly storedSize: number | undefined;
}

/** A committed datatype. */
export interface SourceDatatype extends SourceBase {
  /** Which kind this is. */
  readonly kind: "datatype";
  /** The datatype. */
  readonly type: Datatype;
}

/** Any object. */
export type SourceObject = SourceGroup | SourceDataset | SourceDatatype;

/** A file whose objects can be walked. */
export interface Hdf5Source {
  /** What it is called in messages. */
  readonly name: string;
  /** Bytes in front of the file that are not HDF5's. */
  readonly userBlock: Uint8Array;
  /** The root group. */
  root(): Promise<SourceGroup>;
  /** The object that a reference leads to, if there is one. */
  resolve(reference: bigint): Promise<SourceObject | undefined>;
  /** Ends it. */
  close(): Promise<void>;
}
