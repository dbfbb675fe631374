/**
 * An `.h5` file as a {@link Hdf5Source}.
 *
 *     superblock -> root group -> links -> objects: headers of messages
 *                                           attributes, chunks, heaps: read when they are asked for
 *
 * Every read is checked against the file: a damaged or hostile one gives a `DaosError` that names the
 * object, takes bounded memory, and ends.
 *
 * @module
 */

import type { Hdf5Source, SourceGroup, SourceObject } from "../description.js";
import { malformed } from "../messages/field-codec.js";
import { AttributeReader } from "./attribute-messages.js";
import { ElementReader } from "./elements.js";
import { FileBytes } from "./file-bytes.js";
import { GlobalHeap } from "./global-heap.js";
import { type H5Context, openObject } from "./h5-objects.js";
import { SharedMessages } from "./shared-messages.js";
import { readSuperblock, type Superblock } from "./superblock.js";
import { LibraryReader } from "./wasm/library-reader.js";

/** How a file is read. */
export interface H5FileOptions {
  /** Largest chunk that is decoded, in bytes; 128 MiB by default. */
  readonly chunkSizeMax?: number | undefined;
}

/** An open file. */
class H5File implements Hdf5Source {
  readonly name: string;
  readonly userBlock: Uint8Array;
  readonly #bytes: FileBytes;
  readonly #superblock: Superblock;
  readonly #context: H5Context;

  constructor(bytes: FileBytes, { chunkSizeMax }: H5FileOptions) {
    this.name = bytes.path;
    this.#bytes = bytes;
    this.#superblock = readSuperblock(bytes);
    const { format, extension } = this.#superblock;
    this.userBlock = Uint8Array.from(bytes.read(0, format.base, `the user block of ${this.name}`));
    const shared = new SharedMessages(format, extension);
    const heap = new GlobalHeap(format);
    this.#context = {
      ...{ format, shared, heap, chunkSizeMax },
      attributes: new AttributeReader(format, shared),
      elements: new ElementReader(format, heap),
      library: new LibraryReader(bytes.path),
    };
  }

  async root(): Promise<SourceGroup> {
    const root = openObject(this.#context, this.#superblock.root, "/");
    if (root.kind === "group") return root;
    throw malformed(`"/" of ${this.name}`, `the root is a ${root.kind}`);
  }

  async resolve(reference: bigint): Promise<SourceObject | undefined> {
    if (reference === 0n || reference > BigInt(this.#superblock.format.size)) return undefined;
    return openObject(this.#context, Number(reference), `object at ${reference}`);
  }

  async close(): Promise<void> {
    await this.#context.library.close();
    this.#bytes.close();
  }
}

/**
 * Opens an `.h5` file for reading, whichever version of HDF5 wrote it.
 *
 * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`; `DER_INVAL` if it is no HDF5 file; `DER_DF_INVAL` if
 *   it is damaged; `DER_NOSYS` for one that is split into several files.
 *
 * @example
 * ```ts
 * const source = await openH5File("results.h5");
 * const root = await source.root();
 * for await (const { name } of root.links()) console.log(name);
 * await source.close();
 * ```
 */
export async function openH5File(path: string, options: H5FileOptions = {}): Promise<Hdf5Source> {
  const bytes = new FileBytes(path);
  try {
    return new H5File(bytes, options);
  } catch (error) {
    bytes.close();
    throw error;
  }
}
