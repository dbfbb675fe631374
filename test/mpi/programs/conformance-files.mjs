/**
 * Conformance of files: what every implementation of FileCalls must do, at any number of ranks.
 *
 * A case gets an opener: `open(name, amode, info)` opens a file of all ranks in a folder of the run.
 *
 * @module
 */

import { Datatype, DISPLACEMENT_CURRENT, Mode, Request, Seek } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const CREATE = Mode.CREATE | Mode.RDWR;
const ints = (length, from = 0) => Int32Array.from({ length }, (_, i) => from + i);
/** Every rank's part of a file in turn: `count` integers of each. */
const interleaved = (comm, count) =>
  Datatype.resized(
    Datatype.hindexed([count], [4 * count * comm.rank], Datatype.INT32),
    0,
    4 * count * comm.size,
  );

/** Makes an access: blocking, nonblocking, or in the two halves `begin` and `end`. */
function access(file, [begin, end], ...args) {
  const made = file[begin](...args);
  if (end !== undefined) return file[end]();
  return made instanceof Request ? made.wait() : made;
}

export const fileCases = {
  "a new file is empty, and knows its mode and group"({ comm, open }) {
    const file = open("new", CREATE);
    equal([file.getSize(), file.getAmode(), file.getPosition()], [0, CREATE, 0]);
    equal(file.getGroup().size, comm.size);
    equal([file.getPositionShared(), file.getAtomicity()], [0, false]);
    const { displacement, etype, filetype, datarep } = file.getView();
    equal([displacement, etype.name, filetype.size, datarep], [0, "MPI_BYTE", 1, "native"]);
    file.close();
  },

  "accesses at offsets: blocking, nonblocking, collective, split"({ comm, open }) {
    const file = open("at", CREATE);
    file.setView(0, Datatype.INT32, Datatype.INT32);
    const accesses = [
      [["writeAt"], ["readAt"]],
      [["iwriteAt"], ["ireadAt"]],
      [["writeAtAll"], ["readAtAll"]],
      [["iwriteAtAll"], ["ireadAtAll"]],
      [
        ["writeAtAllBegin", "writeAtAllEnd"],
        ["readAtAllBegin", "readAtAllEnd"],
      ],
    ];
    for (const [round, [write, read]] of accesses.entries()) {
      const place = 8 * (round * comm.size + comm.rank);
      const data = ints(8, 100 * comm.rank + round);
      const written = access(file, write, place, data);
      equal([written.count, written.getCount()], [32, 8], write[0]);
      const into = new Int32Array(8);
      const found = access(file, read, BigInt(place), into);
      equal([found.count, found.getCount()], [32, 8], read[0]);
      equal([...into], [...data], read[0]);
    }
    file.sync();
    comm.barrier();
    file.sync();
    equal(file.getSize(), 4 * 8 * comm.size * accesses.length, "size");
    const other = (comm.rank + 1) % comm.size;
    const seen = new Int32Array(1);
    file.readAt(8 * other, seen);
    equal(seen[0], 100 * other, "what another rank wrote");
    file.close();
  },

  "split accesses count what they moved, every time"({ comm, open }) {
    const file = open("counted", CREATE);
    file.setView(0, Datatype.INT32, Datatype.INT32);
    const data = ints(8, comm.rank);
    const counts = new Set();
    // OMPIO forgets the count of some, not of all.
    for (let round = 0; round < 100; round += 1) {
      file.writeAtAllBegin(8 * comm.rank, data);
      counts.add(file.writeAtAllEnd().count);
      file.readAtAllBegin(8 * comm.rank, data);
      counts.add(file.readAtAllEnd().count);
    }
    equal([...counts], [32]);
    equal([...data], [...ints(8, comm.rank)]);
    file.close();
  },

  "accesses at the rank's pointer move it: blocking, nonblocking, collective, split"({
    comm,
    open,
  }) {
    const file = open("individual", CREATE);
    file.setView(1000 * comm.rank, Datatype.INT32, Datatype.INT32);
    const accesses = [
      [["write"], ["read"]],
      [["iwrite"], ["iread"]],
      [["writeAll"], ["readAll"]],
      [["iwriteAll"], ["ireadAll"]],
      [
        ["writeAllBegin", "writeAllEnd"],
        ["readAllBegin", "readAllEnd"],
      ],
    ];
    for (const [round, [write]] of accesses.entries()) {
      access(file, write, ints(3, 10 * round));
      equal(file.getPosition(), 3 * (round + 1), `position after ${write[0]}`);
    }
    file.seek(0);
    for (const [round, [, read]] of accesses.entries()) {
      const into = new Int32Array(3);
      equal(access(file, read, into).count, 12, `bytes of ${read[0]}`);
      equal([...into], [...ints(3, 10 * round)], read[0]);
    }
    equal(file.getPosition(), 15);
    file.close();
  },

  "the shared pointer hands each access its own place"({ comm, open }) {
    const file = open("shared", CREATE);
    file.setView(0, Datatype.INT32, Datatype.INT32);
    file.writeShared(Int32Array.of(comm.rank, comm.rank));
    file.iwriteShared(Int32Array.of(comm.rank, comm.rank)).wait();
    file.sync();
    comm.barrier();
    equal(file.getPositionShared(), 4 * comm.size, "shared position");
    equal(file.getPosition(), 0, "own position");
    const all = new Int32Array(4 * comm.size);
    file.readAt(0, all);
    const counts = new Array(comm.size).fill(0);
    for (let i = 0; i < all.length; i += 2) {
      equal(all[i], all[i + 1], "two numbers of one access");
      counts[all[i]] += 1;
    }
    equal(counts, new Array(comm.size).fill(2), "accesses of each rank");
    comm.barrier();
    file.seekShared(2 * comm.size);
    const own = new Int32Array(2);
    equal(file.readShared(own).count, 8);
    equal(own[0], own[1]);
    comm.barrier();
    file.seekShared(-2, Seek.END);
    comm.barrier();
    equal(file.getPositionShared(), 4 * comm.size - 2, "from the end");
    comm.barrier();
    file.seekShared(0);
    file.ireadShared(own).wait();
    comm.barrier();
    equal(file.getPositionShared(), 2 * comm.size);
    file.close();
  },

  "ordered accesses come in the order of the ranks"({ comm, open }) {
    const file = open("ordered", CREATE);
    file.setView(0, Datatype.INT32, Datatype.INT32);
    const count = comm.rank + 1;
    const before = (comm.rank * (comm.rank + 1)) / 2;
    const total = (comm.size * (comm.size + 1)) / 2;
    file.writeOrdered(ints(count, before));
    access(file, ["writeOrderedBegin", "writeOrderedEnd"], ints(count, total + before));
    file.sync();
    const all = new Int32Array(2 * total);
    file.readAtAll(0, all);
    equal([...all], [...ints(2 * total)]);
    file.seekShared(0);
    for (const read of [["readOrdered"], ["readOrderedBegin", "readOrderedEnd"]]) {
      const into = new Int32Array(count);
      equal(access(file, read, into).count, 4 * count);
      equal(into[0] % total, before, `first of ${read[0]}`);
    }
    file.close();
  },

  "views show each rank its own part of the file"({ comm, open }) {
    const file = open("views", CREATE);
    const filetype = interleaved(comm, 2);
    file.setView(16, Datatype.INT32, filetype);
    equal(file.getView().filetype === filetype, true, "the view's own type");
    equal(file.getByteOffset(0), 16 + 8 * comm.rank);
    equal(file.getByteOffset(5), 16 + 8 * comm.rank + 2 * 8 * comm.size + 4);
    file.writeAll(ints(6, 10 * comm.rank));
    file.sync();
    file.setView(0, Datatype.BYTE, Datatype.BYTE);
    const all = new Int32Array(6 * comm.size);
    equal(file.readAtAll(16, all).count, all.byteLength);
    for (let rank = 0; rank < comm.size; rank += 1) {
      for (let i = 0; i < 6; i += 1) {
        const place = (Math.floor(i / 2) * comm.size + rank) * 2 + (i % 2);
        equal(all[place], 10 * rank + i, `number ${i} of rank ${rank}`);
      }
    }
    const header = new Uint8Array(16);
    equal(file.readAt(0, header).count, 16);
    equal(Math.max(...header), 0, "bytes that nobody wrote");
    file.close();
  },

  "a view of a block of an array, and memory with a halo"({ comm, open }) {
    const file = open("halo", CREATE);
    const [rows, columns] = [2 * comm.size, 6];
    const filetype = Datatype.subarray(
      [rows, columns],
      [2, columns],
      [2 * comm.rank, 0],
      "C",
      Datatype.DOUBLE,
    );
    const memory = Datatype.subarray([4, columns + 2], [2, columns], [1, 1], "C", Datatype.DOUBLE);
    const array = Float64Array.from({ length: 4 * (columns + 2) }, (_, i) => 1000 * comm.rank + i);
    file.setView(0, Datatype.DOUBLE, filetype);
    equal(file.writeAtAll(0, [array, 1, memory]).count, 2 * columns * 8);
    const back = new Float64Array(array.length).fill(-1);
    equal(file.readAtAll(0, [back, 1, memory]).getElements(Datatype.DOUBLE), 2 * columns);
    equal([back[0], back[9], back[14], back[15]], [-1, array[9], array[14], -1]);
    file.close();
  },

  "reads end where the file does"({ comm, open }) {
    const file = open("end", CREATE);
    if (comm.rank === 0) file.writeAt(0, ints(4));
    file.sync();
    comm.barrier();
    file.sync();
    const into = new Int32Array(4).fill(-1);
    equal(file.readAt(8, into).count, 8, "bytes before the end");
    equal([...into], [2, 3, -1, -1]);
    equal(file.readAt(100, into).count, 0, "bytes behind the end");
    equal(file.readAtAll(12, into).count, 4, "bytes of a collective read");
    equal(file.ireadAt(4, into).wait().count, 12, "bytes of a nonblocking read");
    equal(file.readAt(16, new Uint8Array(0)).count, 0, "no bytes");
    file.close();
  },

  "seek() moves from the start, the pointer, and the end"({ comm, open }) {
    const file = open("seek", CREATE);
    if (comm.rank === 0) file.writeAt(0, ints(10));
    file.sync();
    comm.barrier();
    file.sync();
    file.setView(0, Datatype.INT32, Datatype.INT32);
    file.seek(4);
    file.seek(-1n, Seek.CUR);
    equal(file.getPosition(), 3);
    file.seek(-3, Seek.END);
    equal(file.getPosition(), 7);
    const into = new Int32Array(1);
    file.read(into);
    equal([into[0], file.getPosition()], [7, 8]);
    fails("MPI_ERR_ARG", () => file.seek(-1));
    fails("MPI_ERR_ARG", () => file.seek(-100, Seek.CUR));
    fails("MPI_ERR_ARG", () => file.seek(-100, Seek.END));
    fails("MPI_ERR_ARG", () => file.seek(0, 7));
    fails("MPI_ERR_ARG", () => file.seek(0.5));
    equal(file.getPosition(), 8, "position after what was refused");
    file.close();
  },

  "setSize() and preallocate() set the size"({ comm, open }) {
    const file = open("size", CREATE);
    file.setSize(100);
    equal(file.getSize(), 100);
    comm.barrier();
    file.setSize(10n);
    equal(file.getSize(), 10);
    file.preallocate(5000);
    equal(file.getSize(), 5000);
    file.preallocate(50);
    equal(file.getSize(), 5000, "size after a smaller preallocation");
    fails("MPI_ERR_ARG", () => file.setSize(-1));
    fails("MPI_ERR_ARG", () => file.setSize(2 ** 60));
    if (comm.size > 1) fails("MPI_ERR_NOT_SAME", () => file.setSize(comm.rank));
    equal(file.getSize(), 5000);
    file.close();
  },

  "offsets go beyond 2^32"({ comm, open }) {
    const file = open("large", CREATE | Mode.DELETE_ON_CLOSE);
    const far = 2 ** 33 + 4096 * comm.rank;
    equal(file.writeAtAll(far, ints(4, comm.rank)).count, 16);
    file.setView(2 ** 33, Datatype.INT32, Datatype.INT32);
    const into = new Int32Array(4);
    file.readAt(1024 * comm.rank, into);
    equal([...into], [...ints(4, comm.rank)]);
    equal(file.getByteOffset(3 * 2 ** 31), 2 ** 33 + 3 * 2 ** 33);
    file.sync();
    comm.barrier();
    equal(file.getSize(), 2 ** 33 + 4096 * (comm.size - 1) + 16);
    file.close();
  },

  "hints are told and asked"({ open }) {
    const file = open("hints", CREATE, { cb_buffer_size: "65536", no_such_hint: "ignored" });
    const info = file.getInfo();
    equal(
      Object.values(info).every((value) => typeof value === "string"),
      true,
    );
    file.setInfo(new Map([["cb_buffer_size", "131072"]]));
    file.setInfo({});
    file.setView(0, Datatype.BYTE, Datatype.BYTE, "native", { cb_buffer_size: "65536" });
    fails("MPI_ERR_INFO_VALUE", () => file.setInfo({ key: 5 }));
    fails("MPI_ERR_INFO_VALUE", () => file.setInfo({ key: "v".repeat(5000) }));
    fails("MPI_ERR_INFO_KEY", () => file.setInfo({ "": "value" }));
    fails("MPI_ERR_INFO_KEY", () => file.setInfo({ ["k".repeat(300)]: "value" }));
    fails("MPI_ERR_INFO", () => file.setInfo("text"));
    file.close();
  },

  "atomicity is set and asked"({ comm, open }) {
    const file = open("atomic", CREATE);
    file.setAtomicity(true);
    equal(file.getAtomicity(), true);
    file.writeAt(4 * comm.rank, Int32Array.of(comm.rank));
    comm.barrier();
    const all = new Int32Array(comm.size);
    file.readAt(0, all);
    equal([...all], [...ints(comm.size)]);
    file.setAtomicity(false);
    equal(file.getAtomicity(), false);
    file.close();
  },

  "getTypeExtent() of a native file is the type's own"({ open }) {
    const file = open("extent", CREATE);
    equal(file.getTypeExtent(Datatype.DOUBLE), 8);
    equal(file.getTypeExtent(Datatype.resized(Datatype.INT32, 0, 12)), 12);
    fails("MPI_ERR_TYPE", () => file.getTypeExtent("double"));
    file.close();
  },

  "files are appended to, deleted on close, and opened exclusively"({ comm, open, path, File }) {
    let file = open("modes", CREATE | Mode.EXCL | Mode.UNIQUE_OPEN);
    file.writeOrdered(ints(2, 2 * comm.rank));
    file.close();
    fails("MPI_ERR_FILE_EXISTS", () => open("modes", CREATE | Mode.EXCL));
    file = open("modes", Mode.WRONLY | Mode.APPEND);
    equal([file.getPosition(), file.getPositionShared()], [8 * comm.size, 8 * comm.size]);
    file.close();
    file = open("modes", Mode.RDONLY | Mode.DELETE_ON_CLOSE);
    const all = new Int32Array(2 * comm.size);
    file.readAll(all);
    equal([...all], [...ints(2 * comm.size)]);
    comm.barrier();
    file.close();
    comm.barrier();
    fails("MPI_ERR_NO_SUCH_FILE", () => open("modes", Mode.RDONLY));
    if (comm.rank === 0) fails("MPI_ERR_NO_SUCH_FILE", () => File.delete(path("modes")));
  },

  "delete() removes a file"({ comm, open, path, File }) {
    open("deleted", CREATE).close();
    comm.barrier();
    if (comm.rank === 0) File.delete(path("deleted"));
    comm.barrier();
    fails("MPI_ERR_NO_SUCH_FILE", () => open("deleted", Mode.RDWR));
    fails("MPI_ERR_BAD_FILE", () => File.delete(""));
    fails("MPI_ERR_BAD_FILE", () => File.delete("a\0b"));
  },

  "sequential files have the shared pointer only"({ comm, open }) {
    const file = open("sequential", Mode.CREATE | Mode.WRONLY | Mode.SEQUENTIAL);
    file.writeOrdered(ints(1, comm.rank));
    for (const run of [
      () => file.write(ints(1)),
      () => file.writeAt(0, ints(1)),
      () => file.iwriteAtAll(0, ints(1)),
      () => file.seek(0),
      () => file.getPosition(),
      () => file.setSize(5),
    ]) {
      fails("MPI_ERR_UNSUPPORTED_OPERATION", run);
    }
    fails("MPI_ERR_ARG", () => file.setView(0, Datatype.BYTE, Datatype.BYTE));
    file.setView(DISPLACEMENT_CURRENT, Datatype.INT32, Datatype.INT32);
    file.writeOrdered(ints(1, comm.size + comm.rank));
    file.close();
    const again = open("sequential", Mode.RDONLY | Mode.DELETE_ON_CLOSE);
    const all = new Int32Array(2 * comm.size);
    again.readAtAll(0, all);
    equal([...all], [...ints(2 * comm.size)]);
    again.close();
  },

  "several nonblocking accesses go on at once"({ comm, open }) {
    const file = open("many", CREATE);
    const parts = Array.from({ length: 20 }, (_, i) => ints(16, i + 100 * comm.rank));
    const place = (i) => 64 * (i * comm.size + comm.rank);
    Request.waitAll(parts.map((part, i) => file.iwriteAt(place(i), part)));
    const into = parts.map(() => new Int32Array(16));
    const reads = into.map((part, i) => file.ireadAt(place(i), part));
    const seen = new Set();
    for (let done = Request.waitAny(reads); done; done = Request.waitAny(reads)) {
      equal(done.status.count, 64);
      seen.add(done.index);
    }
    equal([seen.size, into.every((part, i) => part[15] === parts[i][15])], [20, true]);
    file.close();
  },

  "nonblocking writes are left to the library if that is asked for"({ comm, open }) {
    const file = open("library", CREATE, { nonblocking_writes: "library" });
    const data = ints(64, comm.rank);
    equal(file.iwriteAt(256 * comm.rank, data).wait().count, 256);
    equal(file.iwriteAtAll(256 * (comm.size + comm.rank), data).wait().count, 256);
    file.sync();
    const into = new Int32Array(128);
    file.readAt(256 * comm.rank, into.subarray(0, 64));
    file.readAt(256 * (comm.size + comm.rank), into.subarray(64));
    equal([...into], [...data, ...data]);
    file.close();
  },

  async "promises of accesses, and a close() that waits for them"({ comm, open }) {
    const file = open("promise", CREATE);
    const data = ints(1000, comm.rank);
    equal((await file.iwriteAt(4000 * comm.rank, data).promise()).count, 4000);
    const into = new Int32Array(1000);
    const request = file.ireadAt(4000 * comm.rank, into);
    fails("MPI_ERR_REQUEST", () => {
      if (request.isComplete) throw new Error("complete");
      request.cancel();
    });
    file.close();
    equal([request.wait().count, into[999]], [4000, data[999]]);
  },
};
