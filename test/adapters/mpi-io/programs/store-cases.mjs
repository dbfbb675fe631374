/**
 * Cases of files in a container that a native file has not: versions, hints of the store, and large views.
 *
 * @module
 */

import { Datatype, Mode } from "daos-ts/mpi-io";
import { equal, fails } from "../../../mpi/programs/checks.mjs";

const CREATE = Mode.CREATE | Mode.RDWR;

export const storeCases = {
  "every-collective commits collective writes of all forms"({ comm, open }) {
    const file = open("every", CREATE, { daos_commit: "every-collective" });
    const reader = open("every", Mode.RDONLY);
    const [own, all] = [Int32Array.of(comm.rank), new Int32Array(comm.size)];
    const expected = Array.from(all, (_, rank) => rank);
    const seen = () => {
      reader.sync();
      equal(reader.readAt(0, all.fill(-1)).count, 4 * comm.size);
      equal([...all], expected);
    };
    file.writeAtAll(4 * comm.rank, own);
    seen();
    const first = file.epoch;
    file.writeOrdered(own);
    equal(file.epoch > first, true, "epoch of an ordered write");
    seen();
    file.writeAllBegin(own);
    file.writeAllEnd();
    equal(file.getInfo().daos_commit, "every-collective");
    file.setInfo({ daos_commit: "sync" });
    const last = file.epoch;
    file.writeAtAll(0, own);
    equal(file.epoch, last, "epoch without a commit");
    fails("MPI_ERR_INFO_VALUE", () => file.setInfo({ daos_commit: "never" }));
    file.close();
    reader.close();
  },

  "writes are seen after sync-barrier-sync, and not before"({ comm, open }) {
    const file = open("visible", CREATE);
    file.writeAtAll(comm.rank, Uint8Array.of(1 + comm.rank));
    const all = new Uint8Array(comm.size);
    file.readAt(0, all);
    const own = Array.from(all, (_, rank) => (rank === comm.rank ? 1 + rank : 0));
    equal([...all], own, "own writes only");
    file.sync();
    comm.barrier();
    file.sync();
    file.readAt(0, all);
    equal([...all], [...all.map((_, rank) => 1 + rank)], "writes of all");
    file.close();
  },

  "a view of a billion blocks opens at once, and is written at both ends"({ open }) {
    const file = open("billion", CREATE | Mode.DELETE_ON_CLOSE);
    const sizes = [1000, 1000, 1000, 2];
    const column = Datatype.subarray(
      sizes,
      [1000, 1000, 1000, 1],
      [0, 0, 0, 0],
      "C",
      Datatype.BYTE,
    );
    file.setView(0, Datatype.BYTE, column);
    file.writeAtAll(0, Uint8Array.of(1, 2));
    file.writeAtAll(1e9 - 1, Uint8Array.of(3));
    file.sync();
    equal(file.getSize(), 2e9 - 1);
    equal(file.getByteOffset(1e9 - 1), 2e9 - 2);
    const two = new Uint8Array(4).fill(9);
    equal(file.readAt(1e9 - 2, two).count, 2, "bytes at the end");
    equal([...two], [0, 3, 9, 9]);
    file.close();
  },

  "external32 stores numbers big-endian"({ comm, open }) {
    const file = open("external", CREATE);
    const { INT32 } = Datatype;
    file.setView(12 * comm.rank, INT32, INT32, "external32");
    file.writeAt(0, Int32Array.of(1, -2));
    const pair = Datatype.vector(2, 1, 2, Datatype.INT16);
    file.writeAt(2, [Int16Array.of(3, 0, 4), 1, pair]);
    const back = new Int32Array(2);
    equal(file.readAt(0, back).getCount(), 2);
    equal([...back], [1, -2]);
    file.setView(12 * comm.rank, INT32, INT32);
    const raw = new Uint8Array(12);
    file.readAt(0, raw);
    equal([...raw], [0, 0, 0, 1, 255, 255, 255, 254, 0, 3, 0, 4]);
    equal(file.getTypeExtent(INT32), 4);
    file.close();
  },

  "what one rank does wrong is refused on all, and hangs none"({ comm, open }) {
    const file = open("wrong", CREATE);
    const isWrong = comm.rank === comm.size - 1;
    fails("MPI_ERR_INFO_VALUE", () => {
      return file.setInfo({ daos_commit: isWrong ? "never" : "sync" });
    });
    if (comm.size > 1) {
      const daos_commit = isWrong ? "every-collective" : "sync";
      fails("MPI_ERR_NOT_SAME", () => file.setInfo({ daos_commit }));
      fails("MPI_ERR_NOT_SAME", () => open("wrong", CREATE, { daos_commit }));
      fails("MPI_ERR_NOT_SAME", () => file.seekShared(comm.rank));
    }
    fails("MPI_ERR_ARG", () => file.writeAt(2 ** 53 - 1, Uint8Array.of(1)));
    equal(file.getSize(), 0);
    file.close();
  },

  "atomic mode: each write is seen by all when it returns, and whole"({ comm, open }) {
    const file = open("sequence", CREATE);
    file.setAtomicity(true);
    const record = new Int32Array(64);
    for (let round = 0; round < 8; round += 1) {
      file.writeAt(0, record.fill(comm.size * round + comm.rank));
      file.readAt(0, record);
      equal(new Set(record).size, 1, "writers of one record");
      file.writeAt(256 * (1 + comm.rank), record.fill(round));
      comm.barrier();
      file.readAt(256 * (1 + ((comm.rank + 1) % comm.size)), record);
      equal([record[0], record[63]], [round, round], "another rank's write");
      comm.barrier();
    }
    file.close();
  },

  "setSize() cuts and extends, and reads beyond find zeros or nothing"({ comm, open }) {
    const file = open("cut", CREATE);
    file.writeAtAll(8 * comm.rank, new Uint8Array(8).fill(7));
    file.setSize(4);
    file.setSize(12);
    const bytes = new Uint8Array(16).fill(9);
    equal(file.readAt(0, bytes).count, 12);
    equal([...bytes], [7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]);
    file.close();
    const read = open("cut", Mode.RDONLY);
    fails("MPI_ERR_READ_ONLY", () => read.setSize(0));
    read.close();
  },
};
