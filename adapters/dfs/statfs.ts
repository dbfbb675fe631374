/**
 * The space of a mounted container: that of its pool.
 *
 * @module
 */

import type { FileCall } from "./errors.js";
import type { Mount } from "./mount.js";
import { findPlace } from "./place.js";

/** What tells file systems of this kind: the number that begins superblocks of DAOS's file systems. */
const FILE_SYSTEM_TYPE = 0xda05df50;
const BLOCK_SIZE = 4096;

/** Space of a file system, after `StatFs` of `node:fs`; sizes in blocks of `bsize` bytes. */
export interface SpaceNumbers<N extends number | bigint> {
  /** Kind of the file system. */
  readonly type: N;
  /** Bytes of a block. */
  readonly bsize: N;
  /** Blocks of the pool's large tier. */
  readonly blocks: N;
  /** Blocks that are free. */
  readonly bfree: N;
  /** Blocks that are free for this user: the same. */
  readonly bavail: N;
  /** Files there may be: 0, since only space limits them. */
  readonly files: N;
  /** Files there may be more: 0, since only space limits them. */
  readonly ffree: N;
}

/** Space of a file system, with numbers. */
export type StatFs = SpaceNumbers<number>;
/** Space of a file system, with bigints. */
export type BigIntStatFs = SpaceNumbers<bigint>;

/** See `Dfs.statfs`. */
export function statFs(mount: Mount, call: FileCall, bigint: boolean): StatFs | BigIntStatFs {
  const { nvme } = mount.read(call, (view) => {
    findPlace({ view }, call.path, call.what);
    return mount.container.usage();
  });
  const blocks = Math.floor(nvme.total / BLOCK_SIZE);
  const free = Math.floor(nvme.free / BLOCK_SIZE);
  const numbers: StatFs = {
    type: FILE_SYSTEM_TYPE,
    bsize: BLOCK_SIZE,
    blocks,
    bfree: free,
    bavail: free,
    files: 0,
    ffree: 0,
  };
  if (!bigint) return numbers;
  const exact = Object.entries(numbers).map(([name, value]) => [name, BigInt(value as number)]);
  return Object.fromEntries(exact) as BigIntStatFs;
}
