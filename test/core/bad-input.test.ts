/**
 * What a newcomer can do wrong, and what can happen to a pool's files: a typed error that says what was
 * attempted, why it failed and what to do, and an unharmed pool.
 */

import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  type Container,
  type DaosError,
  type DaosErrorCode,
  isDaosError,
  Pattern,
  Pool,
  wholeOf,
} from "daos-ts";
import { crc32c } from "../../dist/core/device/crc32c.js";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { seed } from "../support/property.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { canMount, fillDisk, withSmallDisk } from "./support/disk.ts";
import { randomFrom } from "./support/random.ts";

const KEY = Buffer.from("k");

function newPath(): string {
  return join(temporaryDirectory(), "p");
}

/** A closed pool with a container "c" that holds a kilobyte and a value. */
function createPool(): string {
  const path = newPath();
  using pool = Pool.create({ path, durability: "process" });
  write(pool.createContainer("c"), new Uint8Array(1000).fill(7));
  return path;
}

function write(container: Container, bytes: Uint8Array): void {
  container.update((tx) => {
    tx.write(1n, wholeOf(Pattern.contiguous(0, bytes.length)), bytes, 0n);
    tx.put({ oid: 2n, dkey: KEY, akey: KEY, value: KEY, condition: "none" });
  });
}

/** The pool reads what createPool() wrote, and takes a write. */
function expectUnharmed(path: string): void {
  using pool = Pool.connect(path);
  const container = pool.openContainer("c");
  using view = container.view();
  expect(view.readBytes(1n, 0, 1000).every((byte) => byte === 7)).toBe(true);
  write(container, new Uint8Array(1000).fill(7));
}

/** The error must be of this code and have three parts that say something. */
function expectError(code: DaosErrorCode, body: () => unknown): DaosError {
  let thrown: unknown;
  try {
    body();
  } catch (error) {
    thrown = error;
  }
  if (!isDaosError(thrown)) throw thrown ?? new Error(`it did not fail with ${code}`);
  expect(thrown.code).toBe(code);
  for (const part of [thrown.text.what, thrown.text.why, thrown.text.remedy]) {
    expect(part.length).toBeGreaterThan(5);
    expect(part.endsWith(".")).toBe(false);
  }
  return thrown;
}

describe("Pool.connect()", () => {
  test("to nothing, a file, or a directory without a pool is DER_NONEXIST", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    expectError("DER_NONEXIST", () => Pool.connect(join(directory, "missing")));
    expectError("DER_NONEXIST", () => Pool.connect(join(directory, "file")));
    expectError("DER_NONEXIST", () => Pool.connect(directory));
  });

  test("to a pool of another format version is DER_DF_INCOMPT", () => {
    const path = createPool();
    const good = readFileSync(join(path, "POOL"));
    const other = Buffer.from(good);
    other.writeUInt32BE(2, 8);
    other.writeUInt32BE(crc32c(other, 0, other.length - 4, 0), other.length - 4);
    writeFileSync(join(path, "POOL"), other);
    const error = expectError("DER_DF_INCOMPT", () => Pool.connect(path));
    expect(error.facts).toMatchObject({ version: 2, known: 1 });
    writeFileSync(join(path, "POOL"), good);
    expectUnharmed(path);
  });

  test.each([
    ["empty", () => Buffer.alloc(0)],
    ["cut off", (good: Buffer) => good.subarray(0, 30)],
    ["text", () => Buffer.from("this is a text, not a superblock of a pool, and quite long")],
    ["flipped", (good: Buffer) => Buffer.from(good.map((byte, at) => (at === 20 ? ~byte : byte)))],
  ])("with a superblock that is %s is DER_DF_INVAL", (_how, damage) => {
    const path = createPool();
    const good = readFileSync(join(path, "POOL"));
    writeFileSync(join(path, "POOL"), damage(good));
    expectError("DER_DF_INVAL", () => Pool.connect(path));
    writeFileSync(join(path, "POOL"), good);
    expectUnharmed(path);
  });

  test.each(["scm", "nvme"])("without its tier %s is DER_NONEXIST", (tier) => {
    const path = createPool();
    renameSync(join(path, tier), join(path, "away"));
    expectError("DER_NONEXIST", () => Pool.connect(path));
    renameSync(join(path, "away"), join(path, tier));
    expectUnharmed(path);
  });

  test("without its index is DER_NONEXIST and makes no new one", () => {
    const path = createPool();
    const index = join(path, "scm", "index.mdb");
    renameSync(index, `${index}.away`);
    expectError("DER_NONEXIST", () => Pool.connect(path));
    renameSync(`${index}.away`, index);
    expectUnharmed(path);
  });
});

describe("Pool.create()", () => {
  test("over a pool, a file or a directory with something in it is DER_EXIST", () => {
    const path = createPool();
    expectError("DER_EXIST", () => Pool.create({ path }));
    expectUnharmed(path);
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    expectError("DER_EXIST", () => Pool.create({ path: directory }));
    expectError("DER_EXIST", () => Pool.create({ path: join(directory, "file") }));
    expectError("DER_EXIST", () => Pool.create({ path: newPath(), nvme: directory }));
  });

  test("over a pool that lost its superblock is DER_EXIST and removes nothing", () => {
    const path = createPool();
    const superblock = readFileSync(join(path, "POOL"));
    rmSync(join(path, "POOL"));
    expectError("DER_EXIST", () => Pool.create({ path }));
    writeFileSync(join(path, "POOL"), superblock);
    expectUnharmed(path);
  });

  test("over what a killed creation left works", () => {
    const path = newPath();
    for (const tier of ["scm", "nvme"]) mkdirSync(join(path, tier), { recursive: true });
    writeFileSync(join(path, "scm", "pins"), "");
    writeFileSync(join(path, "POOL.tmp"), "half");
    Pool.create({ path }).close();
  });

  test.each(["a b", "", "x".repeat(128), "ü", "a/b"])("with the label %j is DER_INVAL", (label) => {
    const path = newPath();
    expectError("DER_INVAL", () => Pool.create({ path, label }));
    Pool.create({ path, label: "good" }).close();
  });
});

describe("containers", () => {
  test("with a bad label or option are DER_INVAL, twice DER_EXIST, missing DER_NONEXIST", () => {
    using pool = Pool.connect(createPool());
    for (const label of ["", "a b", "x".repeat(128)]) {
      expectError("DER_INVAL", () => pool.createContainer(label));
    }
    for (const retainCommits of [0, -1, 1.5, Number.NaN, 1_000_001]) {
      expectError("DER_INVAL", () => pool.createContainer("d", { retainCommits }));
    }
    expectError("DER_EXIST", () => pool.createContainer("c"));
    expectError("DER_NONEXIST", () => pool.openContainer("d"));
    expect(pool.listContainers()).toEqual(["c"]);
  });

  test("of a read-only handle refuse every write with DER_NO_PERM, and read", () => {
    const path = createPool();
    using pool = Pool.connect(path, { mode: "ro" });
    const container = pool.openContainer("c");
    expectError("DER_NO_PERM", () => pool.createContainer("d"));
    expectError("DER_NO_PERM", () => pool.recover());
    expectError("DER_NO_PERM", () => container.begin());
    expectError("DER_NO_PERM", () => container.update(() => {}));
    expectError("DER_NO_PERM", () => container.aggregate());
    expectError("DER_NO_PERM", () => container.allocateOid(13));
    expectError("DER_NO_PERM", () => container.publish([], new Uint8Array(16)));
    using view = container.view();
    expect(view.readBytes(1n, 0, 1)[0]).toBe(7);
    expectUnharmed(path);
  });

  test("of a closed pool are DER_NO_HDL", () => {
    const path = createPool();
    const pool = Pool.connect(path);
    const container = pool.openContainer("c");
    const view = container.view();
    const transaction = container.begin();
    pool.close();
    pool.close();
    view.close();
    for (const use of [
      () => pool.openContainer("c"),
      () => pool.listContainers(),
      () => pool.query(),
      () => container.view(),
      () => container.begin(),
      () => container.update(() => {}),
      () => container.aggregate(),
      () => container.commits(),
      () => container.incarnation(1n),
      () => container.allocateOid(13),
      () => container.epochOf(new Uint8Array(16)),
      () => view.readBytes(1n, 0, 1),
      () => view.getValue(2n, KEY, KEY),
      () => view.arraySize(1n),
    ]) {
      expectError("DER_NO_HDL", use);
    }
    transaction.abort();
    expectUnharmed(path);
  });

  test("refuse keys and values that are too large, or empty", () => {
    using pool = Pool.connect(createPool());
    const container = pool.openContainer("c");
    const put = (change: { dkey?: Uint8Array; akey?: Uint8Array; value?: Uint8Array }) => () =>
      container.update((tx) => {
        tx.put({ oid: 2n, dkey: KEY, akey: KEY, value: KEY, condition: "none", ...change });
      });
    expectError("DER_KEY2BIG", put({ dkey: new Uint8Array((1 << 16) + 1) }));
    expectError("DER_KEY2BIG", put({ akey: new Uint8Array((1 << 16) + 1) }));
    expectError("DER_INVAL", put({ dkey: new Uint8Array(0) }));
    expectError("DER_REC2BIG", put({ value: new Uint8Array(2 ** 30 + 1) }));
    // The largest keys fit: zeros take the most room in a key.
    const largest = { dkey: new Uint8Array(1 << 16), akey: new Uint8Array(256) };
    put({ ...largest, value: new Uint8Array((1 << 20) + 1) })();
    put({ ...largest, value: new Uint8Array(1) })();
    using view = container.view();
    expect(view.getValue(2n, largest.dkey, largest.akey)).toHaveLength(1);
  });

  test("refuse buffers that do not fit their range", () => {
    using pool = Pool.connect(createPool());
    const container = pool.openContainer("c");
    const range = wholeOf(Pattern.contiguous(0, 100));
    using view = container.view();
    expectError("DER_INVAL", () => view.readArray(1n, range, new Uint8Array(99)));
    expectError("DER_INVAL", () =>
      container.update((tx) => tx.write(1n, range, new Uint8Array(99), 0n)),
    );
  });

  test("refuse a contribution that is not one with DER_DF_INVAL", () => {
    const path = createPool();
    using pool = Pool.connect(path);
    const container = pool.openContainer("c");
    for (const bytes of [new Uint8Array(0), new Uint8Array(40).fill(0xff)]) {
      expectError("DER_DF_INVAL", () => container.publish([bytes], container.newTransactionId()));
    }
    expectUnharmed(path);
  });
});

describe("a damaged index", () => {
  /** What a program of its own says of a copy of the pool with this index. */
  function openDamaged(path: string, damage: (index: string) => void): string {
    const copy = `${path}-damaged`;
    cpSync(path, copy, { recursive: true });
    rmSync(join(copy, "scm", "index.mdb-lock"), { force: true });
    damage(join(copy, "scm", "index.mdb"));
    const program = join(root, "test", "core", "programs", "open-index.mjs");
    const { status, stdout, stderr } = runProgram(process.execPath, [program, copy], {
      env: plainEnvironment(),
      timeoutMs: 20_000,
    });
    rmSync(copy, { recursive: true });
    return status === 0 ? stdout.trim() : `status ${status}: ${stderr}`;
  }

  const random = randomFrom(seed);
  const garbage = (size: number) => Uint8Array.from({ length: size }, () => random() * 256);

  test.each([
    ["empty", (index: string) => truncateSync(index, 0)],
    ["cut within the first page", (index: string) => truncateSync(index, 1000)],
    ["cut after the first page", (index: string) => truncateSync(index, 4096)],
    ["cut after its header", (index: string) => truncateSync(index, 8192)],
    ["cut in the middle", (index: string) => truncateSync(index, 16_384)],
    ["garbage", (index: string) => writeFileSync(index, garbage(65_536))],
    ["text", (index: string) => writeFileSync(index, "hello\n".repeat(4000))],
  ])("that is %s is a typed error, and ends no process", (_how, damage) => {
    expect(openDamaged(createPool(), damage)).toMatch(/^DER_(DF_INVAL|IO|DF_INCOMPT)$/);
  });

  test.each([
    ["reads", 8192],
    ["reads", 20_480],
    ["writes", 8192],
    ["writes", 20_480],
  ])(
    "that is cut under a process that %s is a typed error, and ends none (to %i bytes)",
    (access, size) => {
      const program = join(root, "test", "core", "programs", "cut-index.mjs");
      const args = [program, createPool(), access, `${size}`];
      const { status, stdout, stderr } = runProgram(process.execPath, args, {
        env: plainEnvironment(),
        timeoutMs: 20_000,
      });
      expect({ status, stdout, stderr }).toEqual({
        status: 0,
        stdout: "DER_IO DER_IO\n",
        stderr: "",
      });
    },
  );

  // Found by fuzzing: LMDB's meta pages have no checksum.
  test.each([
    ["kind of page", 18],
    ["page size", 49],
    ["flags of its free list", 52],
    ["flags of its tree", 100],
    ["number of its last transaction", 152],
  ])(
    "whose header has another %s is DER_DF_INVAL, not the state of one commit before",
    (_what, at) => {
      const damaged = openDamaged(createPool(), (index) => {
        const bytes = readFileSync(index);
        // The newest of the two.
        const isFirst = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(4096 + 152);
        bytes.writeUInt8(at === 152 ? 0 : 4, at + (isFirst ? 0 : 4096));
        writeFileSync(index, bytes);
      });
      expect(damaged).toBe("DER_DF_INVAL");
    },
  );
});

(canMount ? describe : describe.skip)("a full disk", () => {
  /** Commits until the disk is full; returns how many commits there are, and the error. */
  function commitUntilFull(container: Container): { commits: number; error: DaosError } {
    for (let commits = container.commits().length; ; commits++) {
      try {
        write(container, new Uint8Array(100_000).fill(7));
      } catch (error) {
        if (isDaosError(error)) return { commits, error };
        throw error;
      }
    }
  }

  test.each(["nvme", "scm"] as const)("under %s is DER_NOSPACE; what was there reads", (tier) => {
    withSmallDisk("8m", (disk) => {
      const path = newPath();
      using pool = Pool.create({ path, durability: "process", [tier]: join(disk, "tier") });
      const container = pool.createContainer("c", { retainCommits: 1000 });
      write(container, new Uint8Array(1000).fill(7));
      const filler = fillDisk(disk);
      const { commits, error } = commitUntilFull(container);
      expect(error.code).toBe("DER_NOSPACE");
      expect(container.commits()).toHaveLength(commits);
      using view = container.view();
      expect(view.readBytes(1n, 0, 1000).every((byte) => byte === 7)).toBe(true);
      rmSync(filler);
      write(container, new Uint8Array(100_000).fill(8));
      using after = container.view();
      expect(after.readBytes(1n, 0, 100_000).every((byte) => byte === 8)).toBe(true);
      expect(readdirSync(join(path, "nvme")).every((name) => name.endsWith(".seg"))).toBe(true);
    });
  });

  test("when a pool is created is DER_NOSPACE, and works after space was freed", () => {
    withSmallDisk("1m", (disk) => {
      const filler = fillDisk(disk);
      const path = join(disk, "p");
      expectError("DER_NOSPACE", () => Pool.create({ path }));
      rmSync(filler);
      Pool.create({ path }).close();
    });
  });
});
