/**
 * Conformance of groups, of what is made of them, of names and attributes.
 *
 * @module
 */

import { Group, Keyval, sameValue } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const ranks = (count) => Array.from({ length: count }, (_, rank) => rank);

export const groupCases = {
  "a communicator's group has its ranks, in order"(comm) {
    const { group } = comm;
    equal([group.size, group.rank], [comm.size, comm.rank]);
    equal(group.compare(comm.group), "identical");
    equal([Group.EMPTY.size, Group.EMPTY.rank], [0, undefined]);
  },

  "groups are combined as sets, in the standard's order"(comm) {
    const { group } = comm;
    const reversed = group.incl(ranks(comm.size).reverse());
    equal(reversed.rank, comm.size - 1 - comm.rank);
    equal(group.compare(reversed), comm.size === 1 ? "identical" : "similar");
    const rest = group.excl([0]);
    equal([rest.size, rest.rank], [comm.size - 1, comm.rank === 0 ? undefined : comm.rank - 1]);
    equal(rest.union(group).processes, [...rest.processes, group.processes[0]]);
    equal(reversed.intersection(rest).processes, [...rest.processes].reverse());
    equal(group.difference(rest).processes, [group.processes[0]]);
    equal(group.compare(rest), "unequal");
    equal(group.translateRanks(ranks(comm.size), rest), [undefined, ...ranks(comm.size - 1)]);
    equal(group.rangeIncl([[comm.size - 1, 0, -1]]).processes, reversed.processes);
    equal(group.rangeExcl([[0, comm.size - 1, 1]]).size, 0);
  },

  "groups refuse ranks that they do not have, and some twice"({ group, size }) {
    fails("MPI_ERR_RANK", () => group.incl([size]));
    fails("MPI_ERR_RANK", () => group.incl([0, 0]));
    fails("MPI_ERR_RANK", () => group.excl([-1]));
    fails("MPI_ERR_RANK", () => group.translateRanks([size], group));
    fails("MPI_ERR_ARG", () => group.rangeIncl([[0, 1, 0]]));
  },

  "create() and createGroup() make communicators of parts, in the group's order"(comm) {
    const reversed = comm.group.incl(ranks(comm.size).reverse());
    const whole = comm.create(reversed);
    equal([whole.rank, whole.size], [comm.size - 1 - comm.rank, comm.size]);
    const even = comm.group.incl(ranks(comm.size).filter((rank) => rank % 2 === 0));
    const part = comm.rank % 2 === 0 ? comm.createGroup(even, 3) : undefined;
    equal(part?.size, comm.rank % 2 === 0 ? even.size : undefined);
    if (part) {
      const sum = new Int32Array(1);
      part.allreduce(Int32Array.of(1), sum, "sum");
      equal(sum[0], even.size);
      part.free();
    }
    equal(comm.createGroup(Group.EMPTY), undefined);
    whole.free();
  },

  "a group of strangers is refused"(comm) {
    const first = comm.split(comm.rank === 0 ? 0 : 1);
    if (comm.size > 1) fails("MPI_ERR_GROUP", () => first.create(comm.group));
    first.free();
  },

  "compare() tells copies, other orders, and parts apart"(comm) {
    equal(comm.compare(comm), "identical");
    const copy = comm.dup();
    equal(comm.compare(copy), "congruent");
    const reversed = comm.split(0, -comm.rank);
    equal(comm.compare(reversed), comm.size === 1 ? "congruent" : "similar");
    const alone = comm.split(comm.rank);
    equal(comm.compare(alone), comm.size === 1 ? "congruent" : "unequal");
    for (const made of [copy, reversed, alone]) made.free();
  },

  "setName() names a communicator"(comm) {
    const copy = comm.dup();
    copy.setName("ocean model");
    equal(copy.name, "ocean model");
    fails("MPI_ERR_ARG", () => copy.setName("x".repeat(64)));
    copy.free();
  },

  "attributes stay with their communicator, and go to copies as their key says"(comm) {
    const deleted = [];
    const kept = new Keyval({ copy: sameValue, delete: (value) => deleted.push(value) });
    const counted = new Keyval({ copy: (value) => value + 1 });
    const own = new Keyval();
    const base = comm.dup();
    base.setAttribute(kept, "k");
    base.setAttribute(counted, 1);
    base.setAttribute(own, "o");
    const copy = base.dup();
    equal(
      [copy.getAttribute(kept), copy.getAttribute(counted), copy.getAttribute(own)],
      ["k", 2, undefined],
    );
    base.setAttribute(kept, "new");
    equal([base.getAttribute(kept), copy.getAttribute(kept), deleted.join()], ["new", "k", "k"]);
    equal([base.deleteAttribute(own), base.deleteAttribute(own)], [true, false]);
    copy.free();
    base.free();
    equal(deleted, ["k", "k", "new"]);
  },

  "the library tells the largest tag"(comm) {
    equal(comm.getAttribute("TAG_UB") >= 32767, true);
    fails("MPI_ERR_KEYVAL", () => comm.getAttribute("NO_SUCH"));
  },

  "sub() takes a grid apart"(comm) {
    const grid = comm.createCart([1, comm.size], [false, true]);
    const row = grid.sub([false, true]);
    equal(
      [row.dims, row.periods, row.size, row.coords],
      [[comm.size], [true], comm.size, [grid.coords[1]]],
    );
    const column = grid.sub([true, false]);
    equal([column.dims, column.size], [[1], 1]);
    fails("MPI_ERR_DIMS", () => grid.sub([true]));
    for (const made of [column, row, grid]) made.free();
  },

  "an intercommunicator connects two groups, and merges them"(comm) {
    if (comm.size === 1) {
      const leads = () => comm.createIntercommunicator(0, comm, 0).free();
      // Libraries differ in what they say to a rank that connects with itself.
      if (comm.constructor.name === "SoloCommunicator") fails("MPI_ERR_COMM", leads);
      return;
    }
    const isLow = comm.rank < comm.size / 2;
    const half = comm.split(isLow ? 0 : 1);
    const inter = half.createIntercommunicator(0, comm, isLow ? Math.ceil(comm.size / 2) : 0, 7);
    equal([inter.size, inter.remoteSize], [half.size, comm.size - half.size]);
    equal(inter.remoteGroup.processes, comm.group.difference(half.group).processes);
    const received = Int32Array.of(-1);
    const peer = Math.min(inter.rank, inter.remoteSize - 1);
    if (inter.rank < inter.remoteSize) {
      const request = inter.irecv(received, peer, 1);
      inter.send(Int32Array.of(comm.rank), peer, 1);
      request.wait();
      equal(received[0], inter.remoteGroup.translateRanks([peer], comm.group)[0]);
    }
    fails("MPI_ERR_RANK", () => inter.send(received, inter.remoteSize));
    const merged = inter.merge(!isLow);
    equal([merged.size, merged.rank], [comm.size, comm.rank]);
    for (const made of [merged, inter, half]) made.free();
  },
};
