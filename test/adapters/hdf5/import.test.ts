/**
 * importH5(): a copy holds what its source holds, and appears as a whole or not at all.
 *
 * Method: files of one feature each, made by h5py, are imported; copy and source are described alike, and
 * compared by compareSources(), which must find nothing, and must find what is changed.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import {
  compareSources,
  File,
  type Hdf5Source,
  type ImportReport,
  importH5,
  openH5File,
  type SourceDifference,
  storeSource,
} from "daos-ts/hdf5";
import { debianH5py, describeH5py, type H5py, makeFiles } from "../../support/h5py.ts";
import { runSuccessfully } from "../../support/processes.ts";
import { isNightly } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, connectAgain, newestEpoch, temporaryContainer } from "../temporary-container.ts";
import { canonicalOf } from "./canonical.ts";

const PROGRAM = join(root, "test", "adapters", "hdf5", "programs", "import.mjs");
/** What is also compared by compareSources() in the gate. */
const COMPARED = /^(type-(compound|enum|vlen|region)|links-|attributes|fill-|filter-gzip|file-)/;
/** Of a file these are read by libhdf5, which takes time to start; see `virtual.test.ts` for their elements. */
const VIRTUAL = /^layout-virtual/;
/** Files that the elements of virtual datasets are in; without them, extents that are theirs are 0. */
const VIRTUAL_SOURCE = /^virtual-/;

let directory: string;
let names: readonly string[] = [];
beforeAll(() => {
  if (debianH5py === undefined) return;
  directory = temporaryDirectory({ until: "file" });
  names = makeFiles(debianH5py as H5py, directory, "latest").names;
});

/** Imports a file and opens the copy. */
async function withCopy<T>(
  name: string,
  work: (source: Hdf5Source, copy: Hdf5Source, report: ImportReport) => Promise<T>,
): Promise<T> {
  const { container } = temporaryContainer();
  const source = await openH5File(join(directory, name));
  try {
    const report = await importH5(source, container, name);
    await using file = await File.open(container, name);
    return await work(source, storeSource(file), report);
  } finally {
    await source.close();
  }
}

async function differences(
  first: Hdf5Source,
  second: Hdf5Source,
  options?: Parameters<typeof compareSources>[2],
): Promise<SourceDifference[]> {
  const found: SourceDifference[] = [];
  for await (const difference of compareSources(first, second, options)) found.push(difference);
  return found;
}

describeH5py("importH5()", () => {
  test("copies every feature", async () => {
    const { container } = temporaryContainer();
    for (const name of readdirSync(directory)) {
      if (!VIRTUAL_SOURCE.test(name)) continue;
      const source = await openH5File(join(directory, name));
      await importH5(source, container, name);
      await source.close();
    }
    for (const name of names) {
      const source = await openH5File(join(directory, name));
      const report = await importH5(source, container, name);
      const isExternal = name === "layout-external.h5";
      expect({ name, notes: report.noteCount }).toEqual({ name, notes: isExternal ? 1 : 0 });
      await using file = await File.open(container, name);
      const copy = storeSource(file);
      if (VIRTUAL.test(name)) {
        expect([name, await differences(source, copy, { elements: false })]).toEqual([name, []]);
      } else if (isExternal) {
        const found = await differences(source, copy);
        expect(found.map(({ property }) => property)).toEqual(["layout"]);
      } else {
        const both = [await canonicalOf(source), await canonicalOf(copy)] as const;
        expect({ name, ...both[1] }).toEqual({ name, ...both[0] });
        if (isNightly || COMPARED.test(name)) {
          expect([name, await differences(source, copy)]).toEqual([name, []]);
        }
      }
      await source.close();
    }
  });

  test("reports what external files were", async () => {
    await withCopy("layout-external.h5", async (_, __, { notes }) => {
      expect(notes).toEqual([expect.objectContaining({ path: "/x", code: "DER_NOSYS" })]);
    });
  });

  test("copies from one container to another", async () => {
    await withCopy("type-compound-with-references.h5", async (_, copy) => {
      const { container } = temporaryContainer();
      await importH5(copy, container, "again.h5");
      await using file = await File.open(container, "again.h5");
      expect(await canonicalOf(storeSource(file))).toEqual(await canonicalOf(copy));
    });
  });

  test("refuses a file that is there, unless it may be replaced", async () => {
    const { container } = temporaryContainer();
    const source = await openH5File(join(directory, "links-hard.h5"));
    await importH5(source, container, "a.h5");
    expect(await codeOf(() => importH5(source, container, "a.h5"))).toBe("DER_EXIST");
    const other = await openH5File(join(directory, "attributes.h5"));
    await importH5(other, container, "a.h5", { replace: true });
    await using file = await File.open(container, "a.h5");
    expect(await canonicalOf(storeSource(file))).toEqual(await canonicalOf(other));
    await source.close();
    await other.close();
  });

  test("leaves nothing behind when it is given up", async () => {
    const { container } = temporaryContainer();
    const before = newestEpoch(container);
    const source = await openH5File(join(directory, "links-many.h5"));
    const giveUp = new AbortController();
    giveUp.abort();
    const call = () => importH5(source, container, "a.h5", { signal: giveUp.signal });
    expect(await codeOf(call)).toBe("DER_CANCELED");
    expect(newestEpoch(container)).toBe(before);
    expect(await codeOf(() => File.open(container, "a.h5"))).toBe("DER_NONEXIST");
    // The container takes another copy.
    await importH5(source, container, "a.h5");
    await source.close();
  });
});

/** A file of one contiguous dataset of so many bytes, all of them a hole. */
function sparseFile(size: number): string {
  const path = join(temporaryDirectory({ medium: "disk" }), "sparse.h5");
  const code = `
import h5py, sys
f = h5py.File(sys.argv[1], "w")
plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
h5py.h5d.create(f.id, b"x", h5py.h5t.STD_U8LE, h5py.h5s.create_simple((int(sys.argv[2]),)), plist)
`;
  runSuccessfully((debianH5py as H5py).python, ["-c", code, path, String(size)], {
    env: { PATH: process.env.PATH },
  });
  // The end is written, so that a copy that stops early is found.
  const file = openSync(path, "r+");
  ftruncateSync(file, Math.max(size, 2 ** 20) + 4096);
  closeSync(file);
  return path;
}

function startImport(container: Container, pool: string, source: string) {
  const args = [PROGRAM, pool, container.label, source, "a.h5"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

describeH5py("importH5() in a process of its own", () => {
  test("leaves nothing behind when it is killed", async () => {
    const { pool, container } = temporaryContainer();
    const source = sparseFile(256 * 2 ** 20);
    const before = newestEpoch(container);
    const { child, lines } = startImport(container, pool.path, source);
    expect((await lines.next()).value).toBe("begun");
    child.kill("SIGKILL");
    await once(child, "exit");
    const again = connectAgain(pool);
    expect(newestEpoch(again)).toBe(before);
    expect(await codeOf(() => File.open(again, "a.h5"))).toBe("DER_NONEXIST");
  });

  const large = async () => {
    const { pool, container } = temporaryContainer();
    const size = 6e9;
    const source = sparseFile(size);
    const file = openSync(source, "r+");
    writeSync(file, Buffer.from("end"), 0, 3, size);
    closeSync(file);
    const { child, lines } = startImport(container, pool.path, source);
    expect((await lines.next()).value).toBe("begun");
    const { bytes, rss } = JSON.parse((await lines.next()).value as string);
    await once(child, "exit");
    expect(bytes).toBe(size);
    expect(rss).toBeLessThan(512 * 1024);
  };
  // Takes minutes: the gate has no such case.
  if (isNightly) test("takes 6 GB within 512 MiB of memory", large, 600_000);
});

describe("compareSources()", () => {
  test("finds each thing that differs", async () => {
    const { container } = temporaryContainer();
    const make = async (path: string, isOther: boolean): Promise<Hdf5Source> => {
      const file = await File.open(container, path, "w");
      const data = Int16Array.of(1, 2, isOther ? 4 : 3);
      await file.createDataset("d", { shape: [3], dtype: "int16", data });
      const shape = isOther ? [2] : [3];
      await file.createDataset("shape", { shape, dtype: "int16" });
      await file.createDataset("type", { shape: [3], dtype: isOther ? "uint16" : "int16" });
      await file.createGroup(isOther ? "second" : "first");
      file.stored.link("soft", { kind: "soft", path: isOther ? "/a" : "/b" });
      await file.attrs.set("attribute", isOther ? 1 : 2);
      file.stored.link("same", {
        kind: "hard",
        object: isOther ? file.stored.createGroup("g") : file.stored,
      });
      if (!isOther) file.stored.createGroup("g");
      await file.flush();
      return storeSource(file);
    };
    const [first, second] = [await make("a.h5", false), await make("b.h5", true)];
    expect(await differences(first, first)).toEqual([]);
    const found = await differences(first, second);
    expect(found.map(({ path, property }) => `${path} ${property}`).sort()).toEqual([
      "/@attribute elements",
      "/d elements",
      "/first link",
      "/same object",
      "/second link",
      "/shape shape",
      "/soft link",
      "/type type",
    ]);
    const storage = await differences(first, second, { elements: false });
    expect(storage.map(({ path }) => path)).not.toContain("/d");
  });
});
