/**
 * Handles that rank 0 opens and the others get by a broadcast. Usage: shared-handles.mjs <pool> <rw|ro>.
 * Each rank prints a JSON line.
 */

import { writeSync } from "node:fs";
import { isDaosError, Pattern, Pool, wholeOf } from "daos-ts";
import { world } from "daos-ts/mpi-io";

const [path, mode] = process.argv.slice(2);
const comm = world();
const { rank, size } = comm;
const SIZE = 10_000;
const bob = { user: "bob", groups: [] };

/** What rank 0 has, for all. */
function broadcast(bytes) {
  const length = Float64Array.of(bytes?.length ?? 0);
  comm.bcast(length, 0);
  const shared = bytes ?? new Uint8Array(length[0]);
  comm.bcast(shared, 0);
  return shared;
}

function codeOf(run) {
  try {
    run();
    return "none";
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
}

let [poolBytes, containerBytes] = [undefined, undefined];
let first;
if (rank === 0) {
  first = Pool.connect(path, { mode, identity: bob });
  poolBytes = first.toGlobal();
  containerBytes = first.openContainer("c").toGlobal();
}
const pool = Pool.fromGlobal(broadcast(poolBytes));
const container = pool.containerFromGlobal(broadcast(containerBytes));
comm.barrier();
// The handles of the others are their own.
first?.close();
comm.barrier();
const write = codeOf(() =>
  container.update((tx) => {
    const range = wholeOf(Pattern.contiguous(rank * SIZE, (rank + 1) * SIZE));
    tx.write(1n, range, new Uint8Array(SIZE).fill(rank + 1));
  }),
);
const setAcl = codeOf(() => pool.updateAcl("A::EVERYONE@:rw"));
comm.barrier();
const view = container.view();
const bytes = view.readBytes(1n, 0, size * SIZE);
view.close();
const seen = Array.from({ length: size }, (_, other) => {
  return bytes.subarray(other * SIZE, (other + 1) * SIZE).every((byte) => byte === other + 1);
});
const { openHandles } = pool.query();
comm.barrier();
container.close();
pool.close();
writeSync(
  1,
  `${JSON.stringify({ rank, write, setAcl, seen, openHandles, label: container.label })}\n`,
);
