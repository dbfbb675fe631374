/**
 * The calls on real files that Node lacks: extended attributes, times to the nanosecond, data ranges.
 */

import {
  closeSync,
  ftruncateSync,
  lstatSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { dataRanges, listXattrs, removeXattr, setTimes, setXattr } from "daos-ts";
import { temporaryDirectory } from "../support/temporary.ts";

const MIB = 2 ** 20;

function makeFile(): string {
  // tmpfs of older kernels has no user attributes; a disk's file system has.
  const file = join(temporaryDirectory({ medium: "disk" }), "ümlaut");
  writeFileSync(file, "text");
  return file;
}

describe("setXattr()", () => {
  test("stores bytes that listXattrs() finds, until removeXattr() removes them", () => {
    const file = makeFile();
    expect(listXattrs(file)).toEqual(new Map());
    const value = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    setXattr(file, "user.all", value);
    setXattr(file, "user.empty", new Uint8Array());
    setXattr(file, "user.all", value.subarray(1));
    const found = listXattrs(file);
    expect([...found.keys()].sort()).toEqual(["user.all", "user.empty"]);
    expect(Buffer.from(found.get("user.all") ?? "").equals(value.subarray(1))).toBe(true);
    expect(found.get("user.empty")).toHaveLength(0);
    removeXattr(file, "user.all");
    removeXattr(file, "user.all");
    expect([...listXattrs(file).keys()]).toEqual(["user.empty"]);
  });

  test("does not follow a link", () => {
    const file = makeFile();
    const link = `${file}-link`;
    symlinkSync(file, link);
    setXattr(file, "user.of-the-file", Buffer.from("x"));
    expect(listXattrs(link)).toEqual(new Map());
    expect(() => setXattr(link, "user.of-the-link", Buffer.from("x"))).toThrow();
    expect([...listXattrs(file).keys()]).toEqual(["user.of-the-file"]);
  });

  test.each([
    ["a file that is not there", (file: string) => listXattrs(`${file}-none`), "ENOENT"],
    ["a path with a zero byte", (file: string) => listXattrs(`${file}\0x`), "ERR_INVALID_ARG_TYPE"],
    [
      "a name without a namespace",
      (file: string) => setXattr(file, "name", new Uint8Array(1)),
      "ENOTSUP",
    ],
    [
      "a name that is too long",
      (file: string) => setXattr(file, `user.${"n".repeat(300)}`, new Uint8Array(1)),
      "ERR_INVALID_ARG_TYPE",
    ],
  ])("refuses %s", (_, call, code) => {
    const file = makeFile();
    expect(() => call(file)).toThrow(expect.objectContaining({ code }));
  });
});

describe("setTimes()", () => {
  test.each([1_700_000_000_123_456_789n, 0n, -1n, -1_500_000_000n])("sets %s ns", (modified) => {
    const file = makeFile();
    setTimes(file, { accessed: 5n, modified });
    const { mtimeNs, atimeNs } = lstatSync(file, { bigint: true });
    expect([mtimeNs, atimeNs]).toEqual([modified, 5n]);
  });

  test("sets those of a link, not of what it leads to", () => {
    const file = makeFile();
    const link = `${file}-link`;
    symlinkSync(file, link);
    const before = lstatSync(file, { bigint: true }).mtimeNs;
    setTimes(link, { accessed: 7n, modified: 7n });
    expect(lstatSync(link, { bigint: true }).mtimeNs).toBe(7n);
    expect(lstatSync(file, { bigint: true }).mtimeNs).toBe(before);
  });
});

describe("dataRanges()", () => {
  test("covers what was written, and leaves the holes out", () => {
    const fd = openSync(makeFile(), "w+");
    try {
      expect([...dataRanges(fd, 0)]).toEqual([]);
      ftruncateSync(fd, 64 * MIB);
      for (const position of [8 * MIB, 32 * MIB]) writeSync(fd, Buffer.from("x"), 0, 1, position);
      const ranges = [...dataRanges(fd, 64 * MIB)];
      for (const position of [8 * MIB, 32 * MIB]) {
        expect(ranges.some(({ start, end }) => start <= position && position < end)).toBe(true);
      }
      const covered = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
      expect(covered).toBeLessThan(MIB);
      // What is beyond the size that the caller knows is not told.
      expect([...dataRanges(fd, 8 * MIB)]).toEqual([]);
    } finally {
      closeSync(fd);
    }
  });
});
