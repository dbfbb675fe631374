/**
 * Writes a 3-D field in blocks, or reads it back in the blocks of this job, and says what it saw.
 *
 * Usage: decompose.mjs write|read <address> <size>. The value of a cell is its index in the field.
 */

import { Datatype, dimsCreate, File, Mode, Op, world } from "daos-ts/mpi-io";

const [action, address, sizeText] = process.argv.slice(2);
const size = Number(sizeText);
const comm = world();
const dims = dimsCreate(comm.size, 3);
const cart = comm.createCart(dims, [false, false, false]);

/** Start and length of this rank's part of each dimension; the last rank takes the remainder. */
const parts = cart.coords.map((coord, axis) => {
  const length = Math.floor(size / dims[axis]);
  const start = coord * length;
  return { start, length: coord === dims[axis] - 1 ? size - start : length };
});
const starts = parts.map(({ start }) => start);
const lengths = parts.map(({ length }) => length);

function fill(block) {
  let at = 0;
  for (let z = 0; z < lengths[0]; z++)
    for (let y = 0; y < lengths[1]; y++)
      for (let x = 0; x < lengths[2]; x++) {
        block[at++] = ((z + starts[0]) * size + y + starts[1]) * size + x + starts[2];
      }
  return block;
}

const cells = lengths.reduce((product, length) => product * length, 1);
const expected = fill(new Float64Array(cells));
const mode = action === "write" ? Mode.CREATE | Mode.RDWR : Mode.RDONLY;
const file = File.open(cart, address, mode);
const block = Datatype.subarray([size, size, size], lengths, starts, "C", Datatype.DOUBLE);
file.setView(64, Datatype.DOUBLE, block);
if (action === "write") {
  file.writeAtAll(0, expected);
  file.sync();
}
const seen = new Float64Array(cells);
const count = file.readAtAll(0, seen).getCount();
const wrong = seen.findIndex((value, index) => value !== expected[index]);
const failures = new Int32Array(1);
comm.allreduce(Int32Array.of(wrong < 0 && count === cells ? 0 : 1), failures, Op.SUM);
const epoch = file.close();
if (comm.rank === 0) {
  console.log(JSON.stringify({ ranks: comm.size, failures: failures[0], epoch: String(epoch) }));
}
