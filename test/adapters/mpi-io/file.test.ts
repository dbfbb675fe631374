/**
 * MPI files on one rank: what a file shows and when, and what it refuses.
 *
 * @module
 */

import { beforeEach, describe, expect, test } from "@jest/globals";
import { type Container, Pool } from "daos-ts";
import { Datatype, File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import { temporaryDirectory } from "../../support/temporary.ts";

const comm = new SoloCommunicator();
const RDWR = Mode.CREATE | Mode.RDWR;

let pool = "";
const address = (path: string) => `daos://${pool}/c/${path}`;
const code = (expected: string) =>
  expect.objectContaining({ name: "MpiError", daosCode: expected });
const mpi = (expected: string) => expect.objectContaining({ name: "MpiError", code: expected });

function withContainer<T>(use: (container: Container) => T): T {
  const handle = Pool.connect(pool);
  try {
    return use(handle.openContainer("c"));
  } finally {
    handle.close();
  }
}

beforeEach(() => {
  pool = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const handle = Pool.create({ path: pool, durability: "process" });
  handle.createContainer("c", { retainCommits: 3 });
  handle.close();
});

function write(path: string, text: string, offset = 0): bigint {
  const file = File.open(comm, address(path), RDWR);
  file.writeAt(offset, Buffer.from(text));
  return file.close();
}

function read(path: string, info = {}): string {
  const file = File.open(comm, address(path), Mode.RDONLY, info);
  const buffer = Buffer.alloc(file.getSize());
  file.readAt(0, buffer);
  file.close();
  return buffer.toString();
}

describe("File", () => {
  test("a file that was written and closed reads back", () => {
    write("dir/sub/a", "hello");
    expect(read("dir/sub/a")).toBe("hello");
  });

  test("bytes that were never written read as zeros, and the end of the file shortens a read", () => {
    write("a", "x", 4);
    const file = File.open(comm, address("a"), Mode.RDONLY);
    const buffer = Buffer.alloc(8, 0xff);
    expect(file.readAt(0, buffer).count).toBe(5);
    expect([...buffer]).toEqual([0, 0, 0, 0, 120, 255, 255, 255]);
    expect(file.readAt(5, buffer).count).toBe(0);
    expect(file.getSize()).toBe(5);
    file.close();
  });

  test("a rank sees its own writes at once, others after sync", () => {
    const writer = File.open(comm, address("a"), RDWR);
    const reader = File.open(comm, address("a"), Mode.RDONLY);
    writer.writeAt(0, Buffer.from("abc"));
    const buffer = Buffer.alloc(3);
    expect(writer.readAt(0, buffer).count).toBe(3);
    expect(buffer.toString()).toBe("abc");
    expect(reader.getSize()).toBe(0);
    const epoch = writer.sync();
    expect(reader.getSize()).toBe(0);
    expect(reader.sync()).toBe(epoch);
    expect(reader.getSize()).toBe(3);
    writer.close();
    reader.close();
  });

  test("a view of a subarray scatters and gathers", () => {
    const file = File.open(comm, address("a"), RDWR);
    const half = Datatype.subarray([4, 4], [4, 2], [0, 2], "C", Datatype.INT32);
    file.setView(4, Datatype.INT32, half);
    file.writeAtAll(0, Int32Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
    const back = new Int32Array(4);
    expect(file.readAtAll(2, back).getCount()).toBe(4);
    expect([...back]).toEqual([3, 4, 5, 6]);
    file.setView(4, Datatype.INT32, Datatype.INT32);
    const whole = new Int32Array(16);
    file.readAtAll(0, whole);
    expect([...whole]).toEqual([0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 7, 8]);
    file.close();
  });

  test("later writes of one commit cover earlier ones, in staging, log and index", () => {
    const file = File.open(comm, address("a"), RDWR);
    file.writeAt(0, Buffer.alloc(200_000, "a"));
    file.writeAt(10, Buffer.from("bbb"));
    file.writeAt(11, Buffer.from("c"));
    const seen = Buffer.alloc(5);
    file.readAt(9, seen);
    expect(seen.toString()).toBe("abcba");
    file.close();
    expect(read("a").slice(9, 14)).toBe("abcba");
  });

  test("an epoch opens the version that it names, as long as it is retained", () => {
    const epochs = ["1st", "2nd", "3rd", "4th", "5th"].map((text) => write("a", text));
    expect(read("a", { daos_epoch: String(epochs[3]) })).toBe("4th");
    expect(read("a")).toBe("5th");
    expect(() => read("a", { daos_epoch: String(epochs[0]) })).toThrow(code("DER_EPOCH_GONE"));
    expect(() => read("a", { daos_epoch: "yesterday" })).toThrow(code("DER_INVAL"));
    const hint = { daos_epoch: String(epochs[4]) };
    expect(() => File.open(comm, address("a"), Mode.RDWR, hint)).toThrow(code("DER_EP_RO"));
  });

  test("daos_snapshot opens the version that was named, after it was aggregated", () => {
    write("a", "named");
    withContainer((container) => container.createSnapshot("before"));
    for (const text of ["2nd", "3rd", "4th", "5th"]) write("a", text);
    withContainer((container) => container.aggregate());
    const hint = { daos_snapshot: "before" };
    expect(read("a", hint)).toBe("named");
    const file = File.open(comm, address("a"), Mode.RDONLY, hint);
    write("a", "6th");
    file.sync();
    expect(file.getSize()).toBe("named".length);
    file.close();
    expect(() => File.open(comm, address("a"), Mode.RDWR, hint)).toThrow(code("DER_EP_RO"));
    expect(() => read("a", { daos_snapshot: "other" })).toThrow(code("DER_NONEXIST"));
    expect(() => read("a", { ...hint, daos_epoch: "1" })).toThrow(code("DER_INVAL"));
    withContainer((container) => container.destroySnapshot("before"));
    expect(() => read("a", hint)).toThrow(code("DER_NONEXIST"));
  });

  test("daos_commit: every-collective commits each collective write", () => {
    const file = File.open(comm, address("a"), RDWR, { daos_commit: "every-collective" });
    file.writeAtAll(0, Buffer.from("ab"));
    const first = file.epoch;
    expect(read("a")).toBe("ab");
    file.writeAt(0, Buffer.from("xy"));
    expect(read("a")).toBe("ab");
    file.writeAtAll(2, Buffer.from("cd"));
    expect(file.epoch).toBeGreaterThan(first);
    expect(read("a")).toBe("xycd");
    file.close();
  });

  test("delete() removes the file, and an earlier version still shows it", () => {
    const epoch = write("a", "kept");
    File.delete(address("a"));
    expect(() => read("a")).toThrow(code("DER_NONEXIST"));
    expect(read("a", { daos_epoch: String(epoch) })).toBe("kept");
    write("a", "new");
    expect(read("a")).toBe("new");
  });

  test("DELETE_ON_CLOSE removes the file", () => {
    const file = File.open(comm, address("a"), RDWR | Mode.DELETE_ON_CLOSE);
    file.writeAt(0, Buffer.from("x"));
    file.close();
    expect(() => read("a")).toThrow(code("DER_NONEXIST"));
  });

  test("a file that was deleted under a writer is not brought back by its commit", () => {
    write("a", "old");
    const file = File.open(comm, address("a"), Mode.RDWR);
    file.writeAt(0, Buffer.from("new"));
    File.delete(address("a"));
    expect(() => file.sync()).toThrow(code("DER_NONEXIST"));
    expect(() => read("a")).toThrow(code("DER_NONEXIST"));
    file.close();
  });

  test("a view that is open keeps its version while newer ones are committed and aggregated", () => {
    write("a", "first");
    const reader = File.open(comm, address("a"), Mode.RDONLY);
    for (let round = 0; round < 6; round++) write("a", `round${round}`);
    const buffer = Buffer.alloc(5);
    reader.readAt(0, buffer);
    expect(buffer.toString()).toBe("first");
    reader.close();
  });

  test("100,000 strided records, one call each, are one small record in the index", () => {
    const record = Buffer.alloc(16, 7);
    const file = File.open(comm, address("a"), RDWR);
    for (let index = 0; index < 100_000; index++) file.writeAt(index * 64, record);
    const before = withContainer((container) => container.commits().length);
    file.sync();
    expect(withContainer((container) => container.commits().length)).toBe(before + 1);
    const handle = Pool.connect(pool);
    expect(handle.query().scm.live).toBeLessThan(256 * 1024);
    handle.close();
    const buffer = Buffer.alloc(17);
    file.readAt(64 * 99_998 + 63, buffer);
    expect([...buffer]).toEqual([0, ...new Array(16).fill(7)]);
    file.close();
  });
});

describe("small records, one call each,", () => {
  const RECORD = 1000;
  const record = (of: number) => new Uint8Array(RECORD).fill(1 + (of % 250));

  test("whose space is wanting fail the commit, and nothing of them is shown", () => {
    write("a", "before");
    const handle = Pool.connect(pool);
    handle.setSize({ scm: 8 * 2 ** 20, nvme: 8 * 2 ** 20 });
    handle.close();
    const file = File.open(comm, address("a"), RDWR);
    let failure: unknown;
    let written = 0;
    // What is kept back is refused by one of the next calls.
    for (; failure === undefined && written < 20_000; written += 1) {
      try {
        file.writeAt(written * RECORD, record(written));
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toEqual(code("DER_NOSPACE"));
    expect(written).toBeGreaterThan(3000);
    expect(() => file.sync()).toThrow(code("DER_NOSPACE"));
    expect(read("a")).toBe("before");
    file.writeAt(0, Buffer.from("after!"));
    file.close();
    expect(read("a")).toBe("after!");
  });

  test("are seen by this rank, and by others when they are committed, whatever comes between", () => {
    const file = File.open(comm, address("a"), RDWR);
    const back = new Uint8Array(RECORD);
    for (let i = 0; i < 1000; i += 1) {
      file.writeAt(2 * i * RECORD, record(i));
      if (i % 100 !== 50) continue;
      expect(file.readAt(2 * (i - 7) * RECORD, back).count).toBe(RECORD);
      expect(back).toEqual(record(i - 7));
      expect(file.getSize()).toBe((2 * i + 1) * RECORD);
    }
    file.sync();
    const other = File.open(comm, address("a"), Mode.RDONLY);
    for (let i = 0; i < 1000; i += 1) {
      expect(other.readAt(2 * i * RECORD, back).count).toBe(RECORD);
      if (!record(i).every((byte, at) => back[at] === byte)) throw new Error(`record ${i}`);
    }
    // The last record is cut short, and what follows is not there.
    expect(other.readAt(2 * 999 * RECORD + 400, back).count).toBe(600);
    expect(other.readAt(2 * 1000 * RECORD, back).count).toBe(0);
    other.close();
    file.close();
  });

  test("that are read while others commit are of one version, until sync", () => {
    const records = (of: number) => {
      const file = File.open(comm, address("a"), RDWR);
      for (let i = 0; i < 200; i += 1) file.writeAt(i * RECORD, record(of));
      file.close();
    };
    records(1);
    const file = File.open(comm, address("a"), RDWR);
    const back = new Uint8Array(RECORD);
    for (let i = 0; i < 100; i += 1) file.readAt(i * RECORD, back);
    records(2);
    file.readAt(100 * RECORD, back);
    expect(back).toEqual(record(1));
    file.sync();
    file.readAt(101 * RECORD, back);
    expect(back).toEqual(record(2));
    file.close();
  });
});

describe("File refuses", () => {
  test.each([
    ["a missing file", () => File.open(comm, address("none"), Mode.RDONLY), "DER_NONEXIST"],
    ["a missing container", () => File.open(comm, `daos://${pool}/x/a`, RDWR), "DER_NONEXIST"],
    ["a missing pool", () => File.open(comm, "daos:///no/such/pool/c/a", RDWR), "DER_NONEXIST"],
    [
      "a relative pool that is none",
      () => File.open(comm, "daos://none/c/a", RDWR),
      "DER_NONEXIST",
    ],
    ["an address without container", () => File.open(comm, `daos://${pool}`, RDWR), "DER_INVAL"],
    ["dots in a path", () => File.open(comm, address("a/../b"), RDWR), "DER_INVAL"],
    ["a name above 255 bytes", () => File.open(comm, address("n".repeat(256)), RDWR), "DER_INVAL"],
    ["deleting a missing file", () => File.delete(address("none")), "DER_NONEXIST"],
  ])("%s", (_name, attempt, expected) => {
    expect(attempt).toThrow(code(expected));
  });

  test.each([
    ["no access mode", () => File.open(comm, address("a"), Mode.CREATE), "MPI_ERR_AMODE"],
    [
      "two access modes",
      () => File.open(comm, address("a"), Mode.RDWR | Mode.RDONLY),
      "MPI_ERR_AMODE",
    ],
    ["creating read-only", () => File.open(comm, address("a"), 3), "MPI_ERR_AMODE"],
    ["unknown mode bits", () => File.open(comm, address("a"), Mode.RDWR | 4096), "MPI_ERR_AMODE"],
  ])("%s", (_name, attempt, expected) => {
    expect(attempt).toThrow(mpi(expected));
  });

  test("an existing file with EXCL", () => {
    write("a", "x");
    expect(() => File.open(comm, address("a"), RDWR | Mode.EXCL)).toThrow(code("DER_EXIST"));
    expect(read("a")).toBe("x");
  });

  test("a directory, and a file used as one", () => {
    write("d/a", "x");
    expect(() => File.open(comm, address("d"), RDWR)).toThrow(code("DER_INVAL"));
    expect(() => File.open(comm, address("d/a/b"), RDWR)).toThrow(code("DER_INVAL"));
    expect(read("d/a")).toBe("x");
  });

  test("access that the mode does not allow", () => {
    write("a", "x");
    const reader = File.open(comm, address("a"), Mode.RDONLY);
    expect(() => reader.writeAt(0, Buffer.from("y"))).toThrow(mpi("MPI_ERR_READ_ONLY"));
    reader.close();
    const writer = File.open(comm, address("a"), Mode.WRONLY);
    expect(() => writer.readAt(0, Buffer.alloc(1))).toThrow(mpi("MPI_ERR_ACCESS"));
    writer.close();
    expect(read("a")).toBe("x");
  });

  test("buffers, counts and offsets that do not fit, and stays usable", () => {
    const file = File.open(comm, address("a"), RDWR);
    file.setView(0, Datatype.DOUBLE, Datatype.DOUBLE);
    const buffer = new Float64Array(2);
    const { DOUBLE, INT32, BYTE } = Datatype;
    expect(() => file.writeAt(0, [buffer, 17, BYTE])).toThrow(mpi("MPI_ERR_BUFFER"));
    expect(() => file.writeAt(0, [buffer, 12, BYTE])).toThrow(mpi("MPI_ERR_TYPE"));
    expect(() => file.writeAt(-1, buffer)).toThrow(mpi("MPI_ERR_ARG"));
    expect(() => file.writeAt(0.5, buffer)).toThrow(mpi("MPI_ERR_ARG"));
    expect(() => file.writeAt(2 ** 52, buffer)).toThrow(mpi("MPI_ERR_ARG"));
    expect(() => file.setView(0, DOUBLE, INT32)).toThrow(mpi("MPI_ERR_TYPE"));
    expect(() => file.setView(0, DOUBLE, DOUBLE, "roman")).toThrow(
      mpi("MPI_ERR_UNSUPPORTED_DATAREP"),
    );
    file.writeAt(0, Float64Array.of(1, 2));
    expect(file.getSize()).toBe(16);
    file.close();
  });

  test("a handle that was closed", () => {
    const file = File.open(comm, address("a"), RDWR);
    file.close();
    expect(() => file.writeAt(0, Buffer.from("x"))).toThrow(mpi("MPI_ERR_FILE"));
    expect(() => file.getSize()).toThrow(mpi("MPI_ERR_FILE"));
    expect(() => file.sync()).toThrow(mpi("MPI_ERR_FILE"));
    expect(() => file.close()).toThrow(mpi("MPI_ERR_FILE"));
  });
});
