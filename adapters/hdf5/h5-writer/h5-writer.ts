/**
 * Writes any {@link Hdf5Source} as an `.h5` file that HDF5 1.10 and all later versions read.
 *
 *     superblock | elements, chunks, heaps, trees | headers of objects, those of children before parents'
 *
 * 1. The file is written once, from begin to end; only addresses that were needed early, counts of references
 *    and the superblock are filled in later.
 * 2. The file appears under its name when it is whole and durable. See `adapters/local/target-file.ts`.
 * 3. Memory: a box of elements at a time, a few numbers for each object and for each chunk of the running
 *    dataset, and the links of the groups on the way.
 *
 * @module
 */

import { TargetFile } from "../../local/target-file.js";
import type { Hdf5Source } from "../description.js";
import { alignedMemory } from "../import/copy-objects.js";
import { ElementWriter } from "./elements.js";
import { beginRecord, endRecord, UNDEFINED_ADDRESS } from "./fields.js";
import { GlobalHeapWriter } from "./global-heap.js";
import { BOX_SIZE_MAX, TURN_SIZE } from "./limits.js";
import { ObjectTable } from "./object-table.js";
import { ObjectWriter } from "./object-writer.js";
import { breathe, checkSignal, type WriteContext } from "./write-context.js";
import { WriteCounts, type WriteH5Report } from "./write-report.js";

const SUPERBLOCK_SIZE = 48;
const USER_BLOCK_SIZE_MIN = 512;

/** How a file is written. */
export interface WriteH5Options {
  /** Whether a file of that name may be replaced; `false` by default. */
  readonly replace?: boolean | undefined;
  /** Ends the work early; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the bytes of elements that were copied since the last call. */
  readonly advance?: ((bytes: number) => void) | undefined;
}

/** Bytes of the user block of a file: none, or a power of 2 from 512 on. */
function userBlockSize(userBlock: Uint8Array): number {
  if (userBlock.length === 0) return 0;
  return Math.max(USER_BLOCK_SIZE_MIN, 2 ** Math.ceil(Math.log2(userBlock.length)));
}

function superblock(base: number, end: number, root: number): Uint8Array {
  const writer = beginRecord("\x89HDF\r\n\x1a\n", SUPERBLOCK_SIZE).u8(2).u8(8).u8(8).u8(0);
  writer.u64(base).u64(UNDEFINED_ADDRESS).u64(end).u64(root);
  return endRecord(writer);
}

/**
 * Writes a source as an `.h5` file.
 *
 * @param path Path of the file; it appears there when it is whole and durable.
 * @returns What was written, and what could not be carried over as it was.
 * @throws `DaosError` `DER_EXIST` if the file exists and may not be replaced, `DER_NONEXIST`, `DER_NO_PERM`,
 *   `DER_NOSPACE`, `DER_IO`, `DER_CANCELED`, `DER_REC2BIG` for what no `.h5` file can hold, or what the source
 *   throws: the file that was there before stays as it was, and nothing is left behind.
 *
 * @example
 * ```ts
 * await using file = await File.open(container, "results.h5");
 * const { size } = await writeH5(storeSource(file), "results.h5");
 * ```
 */
export async function writeH5(
  source: Hdf5Source,
  path: string,
  { replace = false, signal, advance }: WriteH5Options = {},
): Promise<WriteH5Report> {
  checkSignal(signal, path);
  const base = userBlockSize(source.userBlock);
  const target = new TargetFile(path, { replace, base });
  try {
    const counts = new WriteCounts();
    const heap = new GlobalHeapWriter(target);
    const objects = new ObjectTable(target);
    let sinceTurn = 0;
    const context: WriteContext = {
      ...{ target, heap, objects, counts, memory: alignedMemory(BOX_SIZE_MAX) },
      elements: new ElementWriter(source, heap, objects),
      async advance(bytes) {
        counts.bytes += bytes;
        if (bytes > 0) advance?.(bytes);
        sinceTurn += bytes + 1;
        if (sinceTurn < TURN_SIZE) return;
        sinceTurn = 0;
        await breathe();
        checkSignal(signal, path);
      },
    };
    const superblockAddress = target.allocate(SUPERBLOCK_SIZE);
    const root = await new ObjectWriter(context).writeAll(await source.root());
    heap.finish();
    objects.finish();
    target.write(superblockAddress, superblock(base, target.size, root));
    if (base > 0) target.writeFront(source.userBlock);
    checkSignal(signal, path);
    target.commit();
    return { ...counts, size: target.size };
  } finally {
    target.discard();
  }
}
