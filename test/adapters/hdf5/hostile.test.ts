/**
 * Damaged and hostile `.h5` files: a typed error that names the file, in bounded time and memory, and a container
 * that is as it was.
 *
 * Method: bytes of good files are flipped, set and cut off at random; whatever is left is read to the last element
 * and imported. Then files whose parts lead to each other, or declare sizes that no memory holds.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { File, importH5, openH5File, storeSource } from "daos-ts/hdf5";
import fc from "fast-check";
import { debianH5py, describeH5py, type H5py, makeFiles } from "../../support/h5py.ts";
import { runSuccessfully } from "../../support/processes.ts";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, newestEpoch, temporaryContainer } from "../temporary-container.ts";
import { canonicalOf } from "./canonical.ts";

/** What a damaged file may be refused with. */
const CODES = [
  "DER_DF_INVAL",
  "DER_INVAL",
  "DER_CSUM",
  "DER_REC2BIG",
  "DER_NOSYS",
  "DER_NONEXIST",
  // Two attributes or links of one name.
  "DER_EXIST",
];
/** Read by libhdf5 in a thread of its own, which takes a second to start: too slow for many cases. */
const BY_LIBRARY = /virtual/;
const SIZE_MAX = 200_000;

let files: Buffer[] = [];
let directory: string;
/** Files of the old format. */
let oldFiles: string;
beforeAll(() => {
  if (debianH5py === undefined) return;
  directory = temporaryDirectory({ until: "file" });
  files = (["earliest", "latest"] as const).flatMap((libver) => {
    const made = makeFiles(debianH5py as H5py, temporaryDirectory({ until: "file" }), libver);
    if (libver === "earliest") oldFiles = made.directory;
    const names = made.names.filter((name) => !BY_LIBRARY.test(name));
    return names.map((name) => readFileSync(join(made.directory, name)));
  });
  files = files.filter((file) => file.length < SIZE_MAX);
});

/** Where a byte is changed: behind the signature; most metadata lie at the begin. */
const place = fc.noBias(
  fc.oneof(fc.integer({ min: 8, max: 4096 }), fc.integer({ min: 8, max: SIZE_MAX })),
);
const damage = fc.record({
  file: fc.noBias(fc.nat()),
  /** How much of the file is left. */
  cut: fc.oneof(
    { weight: 7, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.noBias(fc.double({ min: 0, max: 1, noNaN: true })) },
  ),
  changes: fc.array(
    fc.record({
      at: place,
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});

describeH5py("a damaged file", () => {
  test("is read, or refused with a code", async () => {
    const path = join(directory, "damaged.h5");
    const seen = new Map<string | undefined, number>();
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, cut, changes }) => {
        const good = files[file % files.length] as Buffer;
        const bytes = Buffer.from(good.subarray(0, Math.ceil(good.length * cut)));
        for (const { at, value } of changes) bytes[at % good.length] = value;
        writeFileSync(path, bytes);
        const code = await readAll(path);
        seen.set(code, (seen.get(code) ?? 0) + 1);
        expect([undefined, ...CODES]).toContain(code);
      }),
      fcOptions(150),
    );
    // Most cases must get beyond the first bytes of the file.
    const refusedAtOnce = seen.get("DER_INVAL") ?? 0;
    expect(refusedAtOnce).toBeLessThan([...seen.values()].reduce((sum, count) => sum + count) / 4);
  });

  test("is imported as a whole, or leaves the container as it was", async () => {
    const path = join(directory, "damaged.h5");
    const { container } = temporaryContainer();
    let number = 0;
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, changes }) => {
        const bytes = Buffer.from(files[file % files.length] as Buffer);
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        writeFileSync(path, bytes);
        const before = newestEpoch(container);
        const name = `${number++}.h5`;
        const code = await codeOf(async () => {
          const source = await openH5File(path);
          try {
            await importH5(source, container, name);
          } finally {
            await source.close();
          }
        });
        expect([undefined, ...CODES]).toContain(code);
        if (code === undefined) {
          await using copy = await File.open(container, name);
          await storeSource(copy).root();
        } else {
          expect(newestEpoch(container)).toBe(before);
          expect(await codeOf(() => File.open(container, name))).toBe("DER_NONEXIST");
        }
      }),
      fcOptions(40),
    );
  });
});

/** Changes bytes of a good file where a text is. */
function patched(name: string, patch: (bytes: Buffer) => void): string {
  const bytes = readFileSync(join(oldFiles, name));
  patch(bytes);
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

async function readAll(path: string): Promise<string | undefined> {
  return codeOf(async () => {
    const source = await openH5File(path);
    try {
      await canonicalOf(source);
    } finally {
      await source.close();
    }
  });
}

describeH5py("a hostile file", () => {
  test("with a tree whose node is its own child is refused", async () => {
    const path = patched("links-many.h5", (bytes) => {
      // A node of level 1: its first child becomes the node itself.
      for (let at = bytes.indexOf("TREE"); at >= 0; at = bytes.indexOf("TREE", at + 1)) {
        if (bytes[at + 4] === 0 && bytes[at + 5] === 1) {
          bytes.writeBigUInt64LE(BigInt(at), at + 32);
          return;
        }
      }
      throw new Error("no node of level 1");
    });
    expect(await readAll(path)).toBe("DER_DF_INVAL");
  });

  test("with a collection of 2^62 bytes is refused without taking memory", async () => {
    const path = patched("type-string-vlen.h5", (bytes) => {
      bytes.writeBigUInt64LE(2n ** 52n, bytes.indexOf("GCOL") + 8);
    });
    const before = process.memoryUsage().arrayBuffers;
    expect(await readAll(path)).toBe("DER_DF_INVAL");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });

  test("with a chunk that is too large is refused, unless the caller allows it", async () => {
    const program = `
import h5py, sys
f = h5py.File(sys.argv[1], "w")
f.create_dataset("x", (2**22,), "u1", chunks=(2**22,), compression="gzip")[5] = 1
y = f.create_dataset("y", (2**30,), "u1", chunks=(2**30,), compression="gzip")
y.id.write_direct_chunk((0,), b"any")
`;
    const path = join(directory, "large-chunk.h5");
    const { python } = debianH5py as H5py;
    runSuccessfully(python, ["-c", program, path], { env: { PATH: process.env.PATH } });
    const codes = async (chunkSizeMax?: number) => {
      const source = await openH5File(path, { chunkSizeMax });
      const found: (string | undefined)[] = [];
      for await (const link of (await source.root()).links()) {
        const object = link.kind === "hard" ? await link.open() : undefined;
        if (object?.kind !== "dataset") throw new Error("no dataset");
        found.push(await codeOf(() => object.read({ start: [0], shape: [8] })));
      }
      await source.close();
      return found;
    };
    expect(await codes()).toEqual([undefined, "DER_REC2BIG"]);
    expect(await codes(2 ** 20)).toEqual(["DER_REC2BIG", "DER_REC2BIG"]);
  });

  test("whose external file is a device is refused", async () => {
    const program = `
import h5py, sys
f = h5py.File(sys.argv[1], "w")
f.create_dataset("x", (10,), "u1", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)])
`;
    const path = join(directory, "device.h5");
    const { python } = debianH5py as H5py;
    runSuccessfully(python, ["-c", program, path], { env: { PATH: process.env.PATH } });
    expect(await readAll(path)).toBe("DER_IO");
  });
});

describe("a file that is cut", () => {
  test("is refused when it is opened", async () => {
    const path = join(temporaryDirectory(), "cut.h5");
    const superblock = Buffer.alloc(96);
    superblock.write("\x89HDF\r\n\x1a\n", "latin1");
    superblock.set([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0], 8);
    superblock.fill(0xff, 32, 40);
    superblock.writeBigUInt64LE(2048n, 40);
    superblock.fill(0xff, 48, 56);
    superblock.writeBigUInt64LE(96n, 64);
    writeFileSync(path, superblock);
    expect(await codeOf(() => openH5File(path))).toBe("DER_DF_INVAL");
  });
});
