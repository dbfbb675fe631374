/**
 * A container in a pool that lives as long as the running test, and files in it.
 */

import { join } from "node:path";
import { afterEach } from "@jest/globals";
import { type Container, type Epoch, Pattern, Pool, wholeOf } from "daos-ts";
import { create, lookup } from "daos-ts/dfs";
import { temporaryDirectory } from "../support/temporary.ts";

const pools: Pool[] = [];

afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

/** Makes a pool with one container. */
export function temporaryContainer(options: { retainCommits?: number } = {}): {
  pool: Pool;
  container: Container;
} {
  const pool = Pool.create({
    path: join(temporaryDirectory(), "pool"),
    durability: "process",
  });
  pools.push(pool);
  return { pool, container: pool.createContainer("tests", options) };
}

/** Another handle to the pool, as another process would have it. */
export function connectAgain(pool: Pool, mode: "ro" | "rw" = "rw"): Container {
  const again = Pool.connect(pool.path, { mode });
  pools.push(again);
  return again.openContainer("tests");
}

/** Writes bytes to a file at an offset, through core alone; creates the file. */
export function store(
  container: Container,
  path: string,
  bytes: ArrayBufferView,
  offset = 0,
): Epoch {
  using view = container.view();
  const { epoch } = container.update((own) => {
    const inode =
      lookup({ view }, path) ?? create(container, { view, own }, { path, kind: "file" });
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const range = wholeOf(Pattern.contiguous(offset, offset + data.length));
    own.write(inode.oid, range, data, container.incarnation(inode.oid));
  });
  return epoch;
}

/** Epoch of the newest commit. */
export function newestEpoch(container: Container): Epoch {
  return container.commits()[0]?.epoch ?? 0n;
}

/** The code of the error that a call throws, or of a rejection. */
export async function codeOf(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
