/**
 * Conformance of windows: making, naming and freeing them, and their memory.
 *
 * @module
 */

import { Info, Keyval, PROC_NULL, Window } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Ranks that share memory, as a communicator of their own. */
const shared = (comm, run) => {
  const near = comm.splitShared();
  run(near);
  near.free();
};

export const windowCases = {
  "createWindow() exposes a buffer in place"(comm) {
    const memory = new Float64Array(comm.rank + 1);
    const window = comm.createWindow(memory);
    equal([window instanceof Window, window.memory === memory], [true, true]);
    equal([window.size, window.displacementUnit], [8 * (comm.rank + 1), 8]);
    equal([window.flavor, ["unified", "separate"].includes(window.model)], ["create", true]);
    equal(
      range(comm.size).map((rank) => window.sizeOf(rank)),
      range(comm.size).map((rank) => 8 * rank + 8),
    );
    equal(window.group.compare(comm.group), "identical");
    window.free();
    equal(memory.length, comm.rank + 1);
    const bytes = comm.createWindow(new ArrayBuffer(16), { displacementUnit: 4 });
    equal([bytes.size, bytes.displacementUnit, bytes.displacementUnitOf(0)], [16, 4, 4]);
    bytes.free();
    const empty = comm.createWindow(new Uint8Array(0));
    equal(empty.size, 0);
    empty.fence();
    empty.free();
  },

  "a window's buffer stays where it is"(comm) {
    const memory = new ArrayBuffer(64);
    const window = comm.createWindow(memory);
    const solo = comm.constructor.name.startsWith("Solo");
    if (!solo) {
      try {
        structuredClone(memory, { transfer: [memory] });
      } catch {
        // Newer versions of Node throw.
      }
      equal(memory.byteLength, 64);
    }
    window.free();
  },

  "allocateWindow() has memory of the library, which is detached by free()"(comm) {
    const size = 8 * (comm.rank + 1);
    const window = comm.allocateWindow(size, { displacementUnit: 8 });
    const { memory } = window;
    equal([memory instanceof ArrayBuffer, memory.byteLength], [true, size]);
    equal([window.memory === memory, window.flavor, window.size], [true, "allocate", size]);
    const view = new Float64Array(memory);
    view.fill(comm.rank);
    equal(view[comm.rank], comm.rank);
    window.free();
    equal([memory.byteLength, view.length, view[0]], [0, 0, undefined]);
    fails("MPI_ERR_WIN", () => window.memory);
    const none = comm.allocateWindow(0);
    equal([none.memory.byteLength, none.size], [0, 0]);
    none.free();
  },

  "allocateSharedWindow() lets ranks use each other's memory in place"(comm) {
    shared(comm, (near) => {
      const window = near.allocateSharedWindow(4 * (near.rank + 1), { displacementUnit: 4 });
      equal(window.flavor, "shared");
      window.fence();
      new Int32Array(window.memory).fill(near.rank + 1);
      window.fence();
      for (const rank of range(near.size)) {
        equal([...new Int32Array(window.sharedMemory(rank))], Array(rank + 1).fill(rank + 1));
      }
      const first = window.sharedMemory(0);
      equal(window.sharedMemory(0) === first, true);
      const up = (near.rank + 1) % near.size;
      window.fence();
      new Int32Array(window.sharedMemory(up))[0] = 100 + near.rank;
      window.fence();
      const down = (near.rank + near.size - 1) % near.size;
      equal(new Int32Array(window.memory)[0], 100 + down);
      const views = range(near.size).map((rank) => window.sharedMemory(rank));
      fails("MPI_ERR_RANK", () => window.sharedMemory(near.size));
      fails("MPI_ERR_RANK", () => window.sharedMemory(PROC_NULL));
      window.free();
      equal(
        views.map(({ byteLength }) => byteLength),
        views.map(() => 0),
      );
      fails("MPI_ERR_WIN", () => window.sharedMemory(0));
    });
    const window = comm.allocateWindow(8);
    fails("MPI_ERR_RMA_FLAVOR", () => window.sharedMemory(0));
    window.free();
  },

  "atomics in shared memory count what all ranks add"(comm) {
    shared(comm, (near) => {
      const window = near.allocateSharedWindow(near.rank === 0 ? 4 : 0);
      if (near.rank === 0) new Int32Array(window.memory)[0] = 0;
      window.fence();
      const counter = new Int32Array(window.sharedMemory(0));
      for (const step of range(1000)) Atomics.add(counter, 0, step % 2 === 0 ? 2 : 0);
      window.fence();
      equal(Atomics.load(counter, 0), 1000 * near.size);
      window.free();
    });
  },

  "names, infos and attributes belong to their window"(comm) {
    const window = comm.allocateWindow(8, { info: new Info({ same_size: "true" }) });
    window.setName("halo");
    equal(window.name, "halo");
    fails("MPI_ERR_ARG", () => window.setName("x".repeat(64)));
    window.setInfo(new Info({ accumulate_ordering: "none" }));
    for (const [key, value] of window.getInfo())
      equal([typeof key, typeof value], ["string", "string"]);
    const deleted = [];
    const key = new Keyval({ delete: (value) => deleted.push(value) });
    window.setAttribute(key, "one");
    equal([window.getAttribute(key), window.deleteAttribute(key)], ["one", true]);
    window.setAttribute(key, "two");
    equal(window.getAttribute(new Keyval()), undefined);
    window.free();
    equal(deleted, ["one", "two"]);
    fails("MPI_ERR_WIN", () => window.name);
    fails("MPI_ERR_WIN", () => window.getInfo());
  },

  "many windows live at the same time"(comm) {
    const windows = range(4).map((i) => comm.allocateWindow(8 * (i + 1)));
    windows.forEach((window, i) => {
      new Uint8Array(window.memory).fill(i);
    });
    for (const i of [2, 0, 3, 1]) {
      equal(new Set(new Uint8Array(windows[i].memory)), new Set([i]));
      windows[i].free();
    }
  },

  "wrong arguments of windows are refused"(comm) {
    for (const memory of [null, undefined, 8, "text", [1]]) {
      fails("MPI_ERR_TYPE", () => comm.createWindow(memory));
    }
    for (const size of [-1, 0.5, NaN, Infinity, "8", undefined, 2 ** 60]) {
      fails("MPI_ERR_SIZE", () => comm.allocateWindow(size));
      fails("MPI_ERR_SIZE", () => comm.allocateSharedWindow(size));
    }
    for (const displacementUnit of [0, -1, 0.5, 2 ** 31, "8"]) {
      fails("MPI_ERR_DISP", () => comm.allocateWindow(8, { displacementUnit }));
      fails("MPI_ERR_DISP", () => comm.createWindow(new Uint8Array(8), { displacementUnit }));
    }
    fails("MPI_ERR_INFO", () => comm.allocateWindow(8, { info: {} }));
    fails("MPI_ERR_INFO", () => comm.createDynamicWindow({ info: "no" }));
    const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
    fails("MPI_ERR_BASE", () => comm.createWindow(resizable));
    fails("MPI_ERR_BASE", () => comm.createWindow(new Uint8Array(resizable)));
    const copy = comm.dup();
    copy.free();
    fails("MPI_ERR_COMM", () => copy.createWindow(new Uint8Array(8)));
    fails("MPI_ERR_COMM", () => copy.allocateWindow(8));
    fails("MPI_ERR_COMM", () => copy.createDynamicWindow());
  },

  "a freed window is refused by every call"(comm) {
    const window = comm.allocateWindow(8);
    window.free();
    const one = () => new Uint8Array(1);
    const calls = [
      () => window.put(one(), 0),
      () => window.get(one(), 0),
      () => window.accumulate(one(), 0, "sum"),
      () => window.fence(),
      () => window.lock(0),
      () => window.lockAll(),
      () => window.post(comm.group),
      () => window.start(comm.group),
      () => window.setName("gone"),
      () => window.sharedMemory(0),
      () => window.attach(one()),
      () => window.free(),
    ];
    for (const call of calls) fails("MPI_ERR_WIN", call);
  },
};
