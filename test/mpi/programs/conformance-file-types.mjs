/**
 * Conformance of files: representations that the program registers, and error handlers.
 *
 * @module
 */

import { Datatype, Errhandler, Mode, MpiError, Request, registerDatarep } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const CREATE = Mode.CREATE | Mode.RDWR;
const HANDLERS = [Errhandler.ERRORS_RETURN, Errhandler.ERRORS_ARE_FATAL, Errhandler.ERRORS_ABORT];

/** Shows all ranks what each has written, as the standard says: a sync waits for nobody. */
function makeVisible(comm, file) {
  file.sync();
  comm.barrier();
  file.sync();
}

/** Views of numbers, wherever they lie. */
const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Integers take 3 bytes, the highest one first; doubles are stored as floats, everything else as it is. */
function convert(how, memory, type, count, file) {
  const [inMemory, inFile] = [view(memory), view(file)];
  for (let i = 0; i < count; i += 1) {
    if (type.name === "MPI_DOUBLE") {
      if (how === "read") inMemory.setFloat64(8 * i, inFile.getFloat32(4 * i), true);
      else inFile.setFloat32(4 * i, inMemory.getFloat64(8 * i, true));
    } else if (how === "read") {
      const value = (inFile.getInt8(3 * i) << 16) | inFile.getUint16(3 * i + 1);
      inMemory.setInt32(4 * i, value, true);
    } else {
      const value = inMemory.getInt32(4 * i, true);
      inFile.setInt8(3 * i, value >> 16);
      inFile.setUint16(3 * i + 1, value & 0xffff);
    }
  }
}

registerDatarep("short", {
  fileExtent: (type) => (type.name === "MPI_DOUBLE" ? 4 : 3),
  read: (...args) => convert("read", ...args),
  write: (...args) => convert("write", ...args),
});
let isBroken = false;
registerDatarep("sometimes", {
  fileExtent: (type) => type.size,
  write: (memory, _type, _count, file) => {
    if (isBroken) throw new Error("as asked");
    file.set(memory);
  },
});
registerDatarep("sizeless", { fileExtent: () => 0.5 });
registerDatarep("longer", { fileExtent: (type) => type.size + 1 });

const shortOf = (numbers) => numbers.flatMap((n) => [(n >> 16) & 255, (n >> 8) & 255, n & 255]);

export const fileTypeCases = {
  "a registered representation converts numbers, whatever the view and the call"({ comm, open }) {
    const file = open("short", CREATE);
    const { INT32 } = Datatype;
    const { rank, size } = comm;
    // Two integers of each rank in turn.
    const turns = Datatype.vector(8, 2, 2 * size, INT32);
    const mine = Array.from({ length: 16 }, (_, i) => (i % 2 ? -1 : 1) * (1000 * rank + i));
    file.setView(6 * rank, INT32, turns, "short");
    equal([file.getView().datarep, file.getTypeExtent(INT32)], ["short", 3]);
    equal(file.getTypeExtent(Datatype.vector(2, 1, 3, INT32)), 12);
    equal([file.getByteOffset(0), file.getByteOffset(3)], [6 * rank, 6 * rank + 6 * size + 3]);
    const accesses = [
      [() => file.writeAtAll(0, Int32Array.from(mine)), (into) => file.readAtAll(0, into)],
      [() => file.iwriteAt(0, Int32Array.from(mine)), (into) => file.ireadAt(0, into)],
      [() => file.iwriteAtAll(0, Int32Array.from(mine)), (into) => file.ireadAtAll(0, into)],
      [
        () => {
          file.writeAtAllBegin(0, Int32Array.from(mine));
          return file.writeAtAllEnd();
        },
        (into) => {
          file.readAtAllBegin(0, into);
          return file.readAtAllEnd();
        },
      ],
      [
        () => {
          file.seek(0);
          return file.writeAll([Int32Array.from(mine), INT32]);
        },
        (into) => {
          file.seek(0);
          return file.readAll(into);
        },
      ],
    ];
    const done = (made) => (made instanceof Request ? made.wait() : made);
    for (const [write, read] of accesses) {
      comm.barrier();
      equal([done(write()).count, file.getSize() % 3], [64, 0]);
      file.sync();
      const into = new Int32Array(16);
      const status = done(read(into));
      equal([status.count, status.getCount()], [64, 16]);
      equal([...into], mine);
    }
    equal(file.getPosition(), 16);
    // With gaps in memory too.
    const spread = new Int32Array(32);
    equal(file.readAt(0, [spread, 1, Datatype.vector(16, 1, 2, INT32)]).getCount(), 1);
    equal(
      [...spread].filter((_, i) => i % 2 === 0),
      mine,
    );
    comm.barrier();
    file.setView(0, Datatype.BYTE, Datatype.BYTE);
    const stored = new Uint8Array(6);
    equal(file.readAt(6 * rank, stored).count, 6);
    equal([...stored], shortOf(mine.slice(0, 2)));
    equal(file.getSize(), 8 * 6 * size);
    file.close();
  },

  "a registered representation converts structs, and counts what it finds before the end"({
    comm,
    open,
  }) {
    const pair = Datatype.resized(
      Datatype.struct([1, 1], [0, 4], [Datatype.INT32, Datatype.DOUBLE]),
      0,
      12,
    );
    const file = open("pairs", CREATE);
    file.setView(0, pair, pair, "short");
    equal(file.getTypeExtent(pair), 7);
    const bytes = new Uint8Array(36);
    for (let i = 0; i < 3; i += 1) {
      view(bytes).setInt32(12 * i, 70_000 + i + comm.rank, true);
      view(bytes).setFloat64(12 * i + 4, 0.5 * i, true);
    }
    equal(file.writeOrdered([bytes, pair]).getCount(), 3);
    makeVisible(comm, file);
    equal(file.getSize(), 21 * comm.size);
    const into = new Uint8Array(60).fill(255);
    const found = file.readAt(3 * (comm.size - 1), [into, pair]);
    equal([found.count, found.getCount(pair)], [36, 3]);
    equal(
      [view(into).getInt32(24, true), view(into).getFloat64(28, true)],
      [70_002 + comm.size - 1, 1],
    );
    equal(into[36], 255);
    file.close();
  },

  "a conversion that fails is an error of its rank, and holds up nobody"({ comm, open }) {
    const file = open("fails", CREATE);
    file.setView(0, Datatype.INT32, Datatype.INT32, "sometimes");
    isBroken = comm.rank === 0;
    const data = Int32Array.of(comm.rank, comm.rank);
    const write = () => file.writeAtAll(2 * comm.rank, data);
    if (isBroken) fails("MPI_ERR_CONVERSION", write);
    else equal(write().count, 8);
    if (isBroken) fails("MPI_ERR_CONVERSION", () => file.iwriteAt(0, data).wait());
    isBroken = false;
    makeVisible(comm, file);
    equal(file.getSize(), comm.size === 1 ? 0 : 8 * comm.size);
    equal(file.writeAtAll(2 * comm.rank, data).count, 8);
    file.close();
  },

  "wrong representations are refused"({ open }) {
    const fileExtent = () => 1;
    fails("MPI_ERR_DUP_DATAREP", () => registerDatarep("short", { fileExtent }));
    fails("MPI_ERR_DUP_DATAREP", () => registerDatarep("external32", { fileExtent }));
    for (const name of [undefined, "", "x".repeat(128), 5]) {
      fails("MPI_ERR_ARG", () => registerDatarep(name, { fileExtent }));
    }
    for (const functions of [undefined, {}, { fileExtent: 4 }, { fileExtent, read: "no" }]) {
      fails("MPI_ERR_ARG", () => registerDatarep("wrong", functions));
    }
    const file = open("refused", CREATE);
    const { INT32 } = Datatype;
    fails("MPI_ERR_UNSUPPORTED_DATAREP", () => file.setView(0, INT32, INT32, "unknown"));
    fails("MPI_ERR_CONVERSION", () => file.setView(0, INT32, INT32, "sizeless"));
    fails("MPI_ERR_CONVERSION", () => file.setView(0, INT32, INT32, "longer"));
    equal(file.getView().datarep, "native");
    file.close();
  },

  "handlers are told of errors before calls throw them"({ comm, open, File }) {
    const file = open("handled", CREATE);
    equal([file.getErrhandler() === Errhandler.ERRORS_RETURN, HANDLERS.length], [true, 3]);
    const told = [];
    file.setErrhandler(Errhandler.create((error, of) => told.push([error.code, of === file])));
    fails("MPI_ERR_ARG", () => file.readAt(-1, new Uint8Array(1)));
    fails("MPI_ERR_TYPE", () => file.setView(0, Datatype.BYTE, undefined));
    file.callErrhandler(new MpiError({ code: "MPI_ERR_IO", call: "MPI_File_sync", why: "a try" }));
    equal(told, [
      ["MPI_ERR_ARG", true],
      ["MPI_ERR_TYPE", true],
      ["MPI_ERR_IO", true],
    ]);
    // What a handler throws is thrown.
    file.setErrhandler(
      Errhandler.create(({ call }) => {
        throw new MpiError({ code: "MPI_ERR_OTHER", call, why: "it was handled", remedy: "Go on" });
      }),
    );
    fails("MPI_ERR_OTHER", () => file.readAt(-1, new Uint8Array(1)));
    file.setErrhandler(Errhandler.ERRORS_RETURN);
    fails("MPI_ERR_ARG", () => file.setErrhandler("abort"));
    fails("MPI_ERR_ARG", () => Errhandler.create("abort"));
    file.close();
    fails("MPI_ERR_FILE", () => file.getErrhandler());

    // The handler of no file is told where there is none, and is that of the files to come.
    const first = File.getErrhandler();
    const missing = [];
    File.setErrhandler(Errhandler.create((error, of) => missing.push([error.code, of])));
    try {
      fails("MPI_ERR_NO_SUCH_FILE", () => open("none", Mode.RDONLY));
      const later = open("handled", CREATE);
      equal(later.getErrhandler() === File.getErrhandler(), true);
      later.close();
      fails("MPI_ERR_BAD_FILE", () => File.delete(""));
    } finally {
      File.setErrhandler(first);
    }
    equal(
      missing.map(([code, of]) => [code, of === undefined]),
      [
        ["MPI_ERR_NO_SUCH_FILE", true],
        ["MPI_ERR_BAD_FILE", true],
      ],
    );
    fails("MPI_ERR_ARG", () => File.setErrhandler(undefined));
    comm.barrier();
  },
};
