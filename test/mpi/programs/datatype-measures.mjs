/**
 * Sizes and bounds of types of every constructor: what this package computes, and what the library does.
 *
 * Prints one JSON line: { compared, different: [...] }.
 *
 * @module
 */

import { Datatype, Distribution, finalize, init } from "node-mpi-bindings";
import { loadLibrary } from "../../../mpi/dist/library.js";

const { BYTE, INT16, INT32, DOUBLE } = Datatype;
const LEAVES = [BYTE, INT16, INT32, DOUBLE, Datatype.DOUBLE_INT, Datatype.SHORT_INT, Datatype.LONG];

let seed = Number(process.argv[2] ?? 1);
function random(limit) {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return (seed >> 8) % limit;
}

const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));

/** Open MPI 4.1 loses the lower bound of elements that follow each other backwards: no stride of -1. */
const stride = () => [-3, -2, 0, 1, 2, 3, 4, 5][random(8)];

const CONSTRUCTORS = [
  (old) => Datatype.contiguous(1 + random(4), old),
  (old) => Datatype.vector(1 + random(3), 1 + random(3), stride(), old),
  (old) => Datatype.hvector(1 + random(3), 1 + random(3), 8 * stride(), old),
  (old) => blocks(Datatype.indexed, old, 1),
  (old) => blocks(Datatype.hindexed, old, 8),
  (old) =>
    Datatype.indexedBlock(
      1 + random(2),
      list(3, () => random(9)),
      old,
    ),
  (old) =>
    Datatype.hindexedBlock(
      1 + random(2),
      list(3, () => 8 * random(9)),
      old,
    ),
  // MPICH does not let the bounds that one type was given decide for the others, as the standard has it.
  (old) => Datatype.struct([1, 1 + random(2)], [0, 64 + 8 * random(4)], [old, old]),
  () => Datatype.struct([1, 2], [0, 64 + 8 * random(4)], [LEAVES[random(7)], LEAVES[random(7)]]),
  (old) => Datatype.subarray([4, 5], [2, 3], [random(3), random(3)], order(), old),
  (old) => Datatype.resized(old, 8 * (random(3) - 1), 8 * (4 + random(9))),
  (old) => old.dup(),
  (old) =>
    Datatype.darray(
      6,
      random(6),
      [5, 7],
      list(2, () => [Distribution.BLOCK, Distribution.CYCLIC][random(2)]),
      [-1, -1],
      [2, 3],
      order(),
      old,
    ),
];

const order = () => (random(2) === 0 ? "C" : "FORTRAN");

function blocks(make, old, unit) {
  const count = 1 + random(3);
  return make(
    list(count, () => 1 + random(3)),
    list(count, () => unit * random(9)),
    old,
  );
}

init();
const { native, datatypes } = loadLibrary();
const different = [];
const compared = 400;
for (let i = 0; i < compared; i++) {
  let type = LEAVES[random(LEAVES.length)];
  const steps = [];
  for (let depth = random(3); depth >= 0; depth--) {
    const step = random(CONSTRUCTORS.length);
    steps.push(step);
    type = CONSTRUCTORS[step](type);
  }
  const found = new Float64Array(5);
  native.datatypeMeasures(datatypes.handleOf(type), found);
  const { size, lowerBound, extent, trueLowerBound, trueExtent } = type;
  const own = [size, lowerBound, extent, trueLowerBound, trueExtent];
  if (own.join() !== found.join()) different.push({ steps, own, found: [...found] });
}
console.log(
  JSON.stringify({ compared, different: different.slice(0, 5), count: different.length }),
);
finalize();
