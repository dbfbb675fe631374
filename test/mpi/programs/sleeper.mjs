/**
 * Prints its process id, then waits in a barrier that rank 1 never enters.
 */

import { world } from "node-mpi-bindings";

const comm = world();
comm.barrier();
console.log(JSON.stringify({ rank: comm.rank, pid: process.pid }));
if (comm.rank === 1) setInterval(() => {}, 1000);
else comm.barrier();
