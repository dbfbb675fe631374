/**
 * Conformance of errors of files: wrong calls have an error of its class, and the file goes on working.
 *
 * @module
 */

import { Datatype, DISPLACEMENT_CURRENT, Mode } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const CREATE = Mode.CREATE | Mode.RDWR;
const ints = (length) => Int32Array.from({ length }, (_, i) => i);

export const fileErrorCases = {
  "wrong modes are refused on all ranks"({ comm, open }) {
    for (const amode of [
      0,
      Mode.CREATE,
      Mode.RDONLY | Mode.WRONLY,
      Mode.RDONLY | Mode.RDWR,
      Mode.RDONLY | Mode.CREATE,
      Mode.RDONLY | Mode.EXCL,
      Mode.RDWR | Mode.SEQUENTIAL,
      1 << 12,
      -1,
      2.5,
      undefined,
      "r",
    ]) {
      fails("MPI_ERR_AMODE", () => open("wrong", amode));
    }
    if (comm.size === 1) return;
    fails("MPI_ERR_AMODE", () => open("wrong", comm.rank === 1 ? 0 : CREATE));
    fails("MPI_ERR_NOT_SAME", () => open("wrong", comm.rank === 1 ? CREATE : Mode.RDWR));
  },

  "paths that cannot be opened have their own errors"({ comm, open, File, createsFolders }) {
    fails("MPI_ERR_NO_SUCH_FILE", () => open("missing", Mode.RDONLY));
    fails("MPI_ERR_NO_SUCH_FILE", () => open("missing", Mode.RDWR));
    // Where names are kept in a container, folders are created with the file.
    if (!createsFolders) fails("MPI_ERR_NO_SUCH_FILE", () => open("no-folder/file", CREATE));
    fails("MPI_ERR_BAD_FILE", () => open(".", Mode.RDWR));
    fails("MPI_ERR_BAD_FILE", () => File.open(comm, 5, CREATE));
    fails("MPI_ERR_BAD_FILE", () => File.open(comm, "", CREATE));
    fails("MPI_ERR_INFO", () => open("hints", CREATE, 7));
    fails("MPI_ERR_COMM", () => File.open(undefined, "x", CREATE));
    fails("MPI_ERR_COMM", () => File.open({}, "x", CREATE));
    const freed = comm.dup();
    freed.free();
    fails("MPI_ERR_COMM", () => File.open(freed, "x", CREATE));
  },

  "accesses against the mode are refused"({ comm, open }) {
    const written = open("access", Mode.CREATE | Mode.WRONLY);
    written.writeAt(0, ints(4));
    for (const name of ["readAt", "readAtAll", "ireadAt"]) {
      fails("MPI_ERR_ACCESS", () => written[name](0, ints(1)));
    }
    fails("MPI_ERR_ACCESS", () => written.readShared(ints(1)));
    written.close();
    comm.barrier();
    const read = open("access", Mode.RDONLY);
    for (const name of ["write", "writeAll", "iwrite", "writeOrdered", "writeAllBegin"]) {
      fails("MPI_ERR_READ_ONLY", () => read[name](ints(1)));
    }
    const into = new Int32Array(4);
    read.readAll(into);
    equal(into[3], 3);
    read.close();
  },

  "wrong buffers and offsets are refused"({ open }) {
    const file = open("buffers", CREATE);
    file.setView(0, Datatype.DOUBLE, Datatype.DOUBLE);
    for (const buffer of [null, undefined, 5, "text", {}, [1, 2]]) {
      fails("MPI_ERR_TYPE", () => file.writeAt(0, buffer));
    }
    fails("MPI_ERR_TYPE", () => file.writeAt(0, new Int32Array(3)));
    fails("MPI_ERR_BUFFER", () => file.writeAt(0, [new Float64Array(3), 4, Datatype.DOUBLE]));
    fails("MPI_ERR_COUNT", () => file.writeAt(0, [new Float64Array(3), -1, Datatype.DOUBLE]));
    for (const offset of [-1, 0.5, NaN, 2 ** 53, 2n ** 63n, "0", undefined]) {
      fails("MPI_ERR_ARG", () => file.writeAt(offset, new Float64Array(1)));
      fails("MPI_ERR_ARG", () => file.ireadAtAll(offset ?? null, new Float64Array(1)));
    }
    fails("MPI_ERR_ARG", () => file.getByteOffset(-1));
    fails("MPI_ERR_ARG", () => file.getByteOffset(2 ** 51));
    fails("MPI_ERR_ARG", () => file.readAt(2 ** 52, new Float64Array(1)));
    equal(file.getSize(), 0, "size after what was refused");
    file.close();
  },

  "wrong views are refused on all ranks, and change nothing"({ comm, open }) {
    const file = open("wrong-view", CREATE);
    const { INT32, DOUBLE, BYTE } = Datatype;
    file.setView(8, INT32, INT32);
    const back = Datatype.hindexed([1, 1], [8, 0], INT32);
    const overlapping = Datatype.resized(Datatype.contiguous(4, INT32), 0, 4);
    fails("MPI_ERR_TYPE", () => file.setView(0, INT32, back));
    fails("MPI_ERR_TYPE", () => file.setView(0, INT32, overlapping));
    fails("MPI_ERR_TYPE", () => file.setView(0, DOUBLE, INT32));
    fails("MPI_ERR_TYPE", () => file.setView(0, Datatype.vector(2, 1, 2, INT32), INT32));
    fails("MPI_ERR_TYPE", () => file.setView(0, BYTE, Datatype.contiguous(0, BYTE)));
    fails("MPI_ERR_TYPE", () => file.setView(0, BYTE, Datatype.hindexed([1], [-8], BYTE)));
    fails("MPI_ERR_TYPE", () => file.setView(0, BYTE, "BYTE"));
    fails("MPI_ERR_ARG", () => file.setView(-8, BYTE, BYTE));
    fails("MPI_ERR_ARG", () => file.setView(DISPLACEMENT_CURRENT, BYTE, BYTE));
    fails("MPI_ERR_UNSUPPORTED_DATAREP", () => file.setView(0, BYTE, BYTE, "roman"));
    if (comm.size > 1) {
      fails("MPI_ERR_ARG", () => file.setView(comm.rank === 1 ? -8 : 0, BYTE, BYTE));
    }
    equal([file.getView().displacement, file.getByteOffset(1)], [8, 12]);
    file.close();
  },

  "split accesses go one at a time"({ open }) {
    const file = open("split", CREATE);
    fails("MPI_ERR_IO", () => file.writeAllEnd());
    file.writeAllBegin(ints(2));
    fails("MPI_ERR_IO", () => file.writeAllBegin(ints(2)));
    fails("MPI_ERR_IO", () => file.readAtAllBegin(0, ints(2)));
    fails("MPI_ERR_IO", () => file.writeAll(ints(2)));
    fails("MPI_ERR_IO", () => file.readAllEnd());
    fails("MPI_ERR_IO", () => file.setView(0, Datatype.BYTE, Datatype.BYTE));
    fails("MPI_ERR_IO", () => file.close());
    equal(file.writeAllEnd().count, 8);
    fails("MPI_ERR_IO", () => file.writeAllEnd());
    file.close();
  },

  "a device without space is an error of every write"({ File, comm }) {
    const file = File.open(comm, "/dev/full", Mode.RDWR);
    const data = ints(4);
    const writes = [
      () => file.writeAt(0, data),
      () => file.write(data),
      () => file.iwriteAt(0, data).wait(),
      () => file.iwrite(data).wait(),
      () => file.iwriteAtAll(0, data).wait(),
      () => file.writeAtAll(0, data),
      () => {
        file.writeAtAllBegin(0, data);
        return file.writeAtAllEnd();
      },
    ];
    const codes = new Set(
      writes.map((write) => {
        try {
          return String(write());
        } catch ({ code }) {
          return code;
        }
      }),
    );
    for (const code of ["MPI_ERR_NO_SPACE", "MPI_ERR_IO"]) codes.delete(code);
    equal([...codes], []);
    file.close();
  },

  "a closed file refuses every call"({ open }) {
    const file = open("closed", CREATE);
    file.close();
    const buf = ints(1);
    const calls = {
      readAt: [0, buf],
      writeAtAll: [0, buf],
      iread: [buf],
      writeShared: [buf],
      readOrdered: [buf],
      readAllBegin: [buf],
      readAllEnd: [],
      seek: [0],
      seekShared: [0],
      getPosition: [],
      getPositionShared: [],
      getByteOffset: [0],
      getSize: [],
      setSize: [0],
      preallocate: [0],
      getGroup: [],
      getAmode: [],
      getInfo: [],
      setInfo: [{}],
      getView: [],
      setView: [0, Datatype.BYTE, Datatype.BYTE],
      getTypeExtent: [Datatype.BYTE],
      setAtomicity: [true],
      getAtomicity: [],
      sync: [],
      close: [],
    };
    for (const [name, args] of Object.entries(calls)) {
      fails("MPI_ERR_FILE", () => file[name](...args));
    }
  },
};
