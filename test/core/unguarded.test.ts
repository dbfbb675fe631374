/**
 * A user who may only read, beside a writer that overwrites, aggregates and recycles without a pause: the user can
 * neither pin an epoch nor hold a page of the index. Each answer is right, or an error that says that there is none.
 */

import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { type Container, DaosError, Pattern, Pool, wholeOf } from "daos-ts";
import { overtakenError, patiently, steadily } from "../../dist/core/index/unguarded.js";
import { UNGUARDED_READS_MAX } from "../../dist/core/limits.js";
import { isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { Program } from "./support/program.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const KEYS = 40;
const SIZE = 5000;
const MILLISECONDS = isNightly ? 60_000 : 3000;
const akey = Buffer.from("a");

/** Writes a version: its number everywhere. */
function write(container: Container, version: number): void {
  const bytes = new Uint8Array(SIZE).fill(version % 251);
  const value = Buffer.from(String(version).padStart(8, "0"));
  container.update((tx) => {
    for (let key = 0; key < KEYS; key++) {
      tx.put({ oid: 1n, dkey: Buffer.from(`k${key}`), akey, value, condition: "none" });
    }
    tx.write(2n, wholeOf(Pattern.contiguous(0, SIZE)), bytes, 0n);
    const ranges = [{ index: 0, count: SIZE }];
    tx.update(3n, akey, [{ akey, recordSize: 1, ranges, data: bytes }]);
  });
}

function makeReadable(path: string): void {
  const isDirectory = statSync(path).isDirectory();
  chmodSync(path, isDirectory ? 0o755 : 0o644);
  if (isDirectory) for (const name of readdirSync(path)) makeReadable(join(path, name));
}

(isRoot ? test : test.skip)(
  "a user who may only read gets the right answer or none beside a busy writer (needs root)",
  async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, "scratch"));
    const path = join(directory, "pool");
    using pool = Pool.create({ path, durability: "process" });
    const container = pool.createContainer("c", { retainCommits: 1 });
    let version = 0;
    write(container, version++);
    makeReadable(path);
    const args = [path, join(directory, "scratch"), `${NOBODY}`, `${MILLISECONDS}`];
    const user = new Program("read-beside-writer", args);
    try {
      await user.printed(1);
      while (user.lines.length < 2 && user.isRunning) {
        for (let turn = 0; turn < 5; turn++) write(container, version++);
        container.aggregate();
        await setImmediate();
      }
      await user.printed(2);
    } finally {
      await user.kill();
    }
    expect(user.errors).toBe("");
    const { views, answers, wrong, codes } = JSON.parse(user.lines[1] as string);
    expect(wrong).toEqual([]);
    expect(Object.keys(codes).filter((code) => !/^DER_(EPOCH_GONE|BUSY)$/.test(code))).toEqual([]);
    // The writer did get in between, and reading went on.
    expect(version).toBeGreaterThan(100);
    expect(views).toBeGreaterThan(20);
    expect(answers).toBeGreaterThan(200);
    expect(codes.DER_EPOCH_GONE).toBeGreaterThan(0);
  },
  MILLISECONDS + 30_000,
);

describe("steadily()", () => {
  test("reads again what was overtaken, also if it failed, and gives up with DER_BUSY", () => {
    let calls = 0;
    const found = steadily(
      () => {
        calls += 1;
        if (calls === 2) throw new Error("torn");
        return calls;
      },
      () => calls < 4,
      "index",
    );
    expect(found).toBe(4);
    calls = 0;
    const never = () =>
      steadily(
        () => calls++,
        () => true,
        "index",
      );
    expect(never).toThrow(expect.objectContaining({ code: "DER_BUSY" }));
    expect(calls).toBe(UNGUARDED_READS_MAX);
  });

  test("passes other errors on", () => {
    const broken = new DaosError("DER_IO", { what: "a", why: "b", remedy: "c" });
    const fail = () => {
      throw broken;
    };
    expect(() => steadily(fail, () => false, "index")).toThrow(broken);
    expect(() => patiently(fail)).toThrow(broken);
    let calls = 0;
    const busy = () => {
      calls += 1;
      if (calls < 3) throw overtakenError("index");
      return calls;
    };
    expect(patiently(busy)).toBe(3);
  });
});
