/**
 * writeH5(): what it writes holds what its source holds, as libhdf5 and its tools see it.
 *
 * Method: h5py makes a file for each feature of HDF5; each is read and written again, directly and through a
 * container. h5py's low-level view of the copy, to the bit, and the texts of h5dump and h5diff must be those of the
 * original. Trees that no file of h5py's has are made in memory.
 */

import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import { File, importH5, openH5File, storeSource, type WriteH5Report, writeH5 } from "daos-ts/hdf5";
import {
  canonicalByH5py,
  debianH5py,
  describeH5py,
  type H5py,
  makeFiles,
  pypiH5py,
  runPython,
} from "../../support/h5py.ts";
import { runProgram } from "../../support/processes.ts";
import { isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { temporaryContainer } from "../temporary-container.ts";

/** The file whose elements lie in raw files. */
const EXTERNAL = "layout-external.h5";

/** Files of all features, and what h5py says of them. */
interface Originals {
  readonly directory: string;
  readonly names: readonly string[];
  readonly canonical: ReadonlyMap<string, unknown>;
}

function makeOriginals(h5py: H5py, libver: "earliest" | "latest"): Originals {
  const directory = temporaryDirectory({ until: "file" });
  const { names } = makeFiles(h5py, directory, libver);
  return { directory, names, canonical: canonicalsOf(h5py, directory, names) };
}

function canonicalsOf(
  h5py: H5py,
  directory: string,
  names: readonly string[],
): ReadonlyMap<string, unknown> {
  const paths = names.map((name) => join(directory, name));
  const found = canonicalByH5py(h5py, paths);
  return new Map(names.map((name, index) => [name, found[index]]));
}

/** A folder with the files that others lead to: sources of virtual datasets, external raw files. */
function targetFolder({ directory, names }: Originals): string {
  const target = temporaryDirectory({ until: "file" });
  const others = readdirSync(directory).filter((name) => !names.includes(name));
  for (const name of others) cpSync(join(directory, name), join(target, name));
  return target;
}

/** Copies a file. */
async function copy(
  { directory }: Originals,
  name: string,
  target: string,
): Promise<WriteH5Report> {
  const source = await openH5File(join(directory, name));
  try {
    return await writeH5(source, join(target, name));
  } finally {
    await source.close();
  }
}

/** Copies a file into a container, and from there to an `.h5` file. */
async function copyThroughContainer(
  { directory }: Originals,
  name: string,
  { container, target }: { container: Container; target: string },
): Promise<WriteH5Report> {
  const source = await openH5File(join(directory, name));
  try {
    await importH5(source, container, name);
  } finally {
    await source.close();
  }
  await using file = await File.open(container, name);
  return await writeH5(storeSource(file), join(target, name));
}

/** Runs a command for each name, and prints a line with its status behind each. */
const FOR_EACH = `for name in "$@"; do eval "$COMMAND" 2>&1; echo "-- $name: status $?"; done`;

/**
 * What a tool prints of files, without addresses and paths: one text for all of them.
 *
 * @param command In the language of the shell; `$1` and `$2` are the folders, `$name` the file.
 */
function textOf(
  command: string,
  [first, second = first]: readonly string[],
  names: readonly string[],
): string {
  const env = {
    ...process.env,
    COMMAND: command.replace("$1", `${first}`).replace("$2", `${second}`),
  };
  const { stdout } = runProgram("bash", ["-c", FOR_EACH, "bash", ...names], {
    ...{ cwd: first as string, env },
  });
  return (
    [first as string, second as string]
      .reduce((text, folder) => text.replaceAll(folder, ""), stdout)
      .replace(/OFFSET \d+/g, "OFFSET")
      // Slots hold addresses, and are compressed with them.
      .replace(/SIZE \d+ \([\d.]+:1 COMPRESSION\)/g, "COMPRESSED")
      .replace(/(DATASET|GROUP|DATATYPE|H5T_STD_REF_OBJECT) \d+ /g, "$1 ")
      // A text that was never written, which a source does not tell from one of no bytes.
      .replace(/\bNULL\b/g, '""')
  );
}

let latest: Originals;
beforeAll(() => {
  if (debianH5py !== undefined) latest = makeOriginals(debianH5py, "latest");
});

describeH5py("writeH5() copies every feature", () => {
  const formats = isNightly ? (["earliest", "latest"] as const) : (["latest"] as const);
  describe.each(formats)("of files of the %s format", (libver) => {
    let originals: Originals;
    let target: string;
    beforeAll(async () => {
      originals = libver === "latest" ? latest : makeOriginals(debianH5py as H5py, libver);
      target = targetFolder(originals);
      for (const name of originals.names) {
        const { noteCount } = await copy(originals, name, target);
        expect({ name, noteCount }).toEqual({ name, noteCount: 0 });
      }
    });
    const expectSame = (h5py: H5py, expected: ReadonlyMap<string, unknown>) => {
      const { names } = originals;
      const found = canonicalsOf(h5py, target, names);
      for (const name of names) {
        expect({ name, ...(found.get(name) as object) }).toEqual({
          name,
          ...(expected.get(name) as object),
        });
      }
    };

    test("as Debian's h5py sees it", () => {
      expectSame(debianH5py as H5py, originals.canonical);
    });

    (pypiH5py === undefined ? test.skip : test)("as PyPI's h5py sees it", () => {
      const { directory, names } = originals;
      expectSame(pypiH5py as H5py, canonicalsOf(pypiH5py as H5py, directory, names));
    });

    /** These tools take a process for each file: the gate shows them a part of the files. */
    const someOf = (names: readonly string[]) =>
      names.filter((_, index) => isNightly || index % 6 === 0);

    test("as h5dump sees it", () => {
      const { directory } = originals;
      const names = someOf(originals.names);
      const dump = 'h5dump -p "$1/$name"';
      expect(textOf(dump, [target], names)).toBe(textOf(dump, [directory], names));
    });

    test("as h5diff sees it", () => {
      const { directory } = originals;
      const names = someOf(originals.names);
      // It looks at a file and itself less closely than at two, and says in its text what it cannot compare.
      const twins = temporaryDirectory();
      cpSync(directory, twins, { recursive: true });
      const diff = 'h5diff -v "$1/$name" "$2/$name"';
      expect(textOf(diff, [directory, target], names)).toBe(
        textOf(diff, [directory, twins], names),
      );
    });
  });
});

/** What elements of external files become in a container, and partial chunks without filters there. */
const IMPORTED_OTHERWISE = [EXTERNAL];

describeH5py("export of what was imported", () => {
  test("holds what the first file held", async () => {
    const originals = latest;
    const target = targetFolder(originals);
    // The import of every feature is compared in the gate, too.
    const names = originals.names.filter(
      (name, index) => !IMPORTED_OTHERWISE.includes(name) && (isNightly || index % 2 === 0),
    );
    const { container } = temporaryContainer();
    for (const name of names) await copyThroughContainer(originals, name, { container, target });
    const found = canonicalsOf(debianH5py as H5py, target, names);
    for (const name of names) {
      expect({ name, ...(found.get(name) as object) }).toEqual({
        name,
        ...(originals.canonical.get(name) as object),
      });
    }
  });
});

(pypiH5py === undefined ? describe.skip : describe)("filters of others", () => {
  test("are kept with their parameters and chunks: lz4, zstd, bitshuffle, blosc, bzip2", async () => {
    const h5py = pypiH5py as H5py;
    const directory = temporaryDirectory();
    const made = runPython(h5py, "plugin_files.py", ["make", directory]);
    expect(made).toMatchObject({ status: 0 });
    const names = made.stdout.trim().split("\n");
    const [direct, through] = [temporaryDirectory(), temporaryDirectory()];
    const { container } = temporaryContainer();
    const originals = { directory, names, canonical: new Map() };
    for (const name of names) {
      expect(await copy(originals, name, direct)).toMatchObject({ noteCount: 0 });
      const copied = await copyThroughContainer(originals, name, { container, target: through });
      expect(copied).toMatchObject({ noteCount: 0 });
    }
    const { stdout } = runPython(h5py, "plugin_files.py", ["compare", directory, direct, through]);
    expect(stdout.trim().split("\n").sort()).toEqual(
      [...names].sort().map((name) => `${name} same`),
    );
  });
});

describeH5py("external raw files", () => {
  test("stay where they are if they hold the elements, as seen from the new file", async () => {
    const originals = latest;
    const { directory } = originals;
    const source = await openH5File(join(directory, EXTERNAL));
    const { noteCount } = await writeH5(source, join(directory, "copy.h5"));
    await source.close();
    expect(noteCount).toBe(0);
    const [copied] = canonicalByH5py(debianH5py as H5py, [join(directory, "copy.h5")]);
    expect(copied).toEqual(originals.canonical.get(EXTERNAL));
  });

  test("become part of the file if they are not there", async () => {
    const originals = latest;
    const target = temporaryDirectory();
    const { notes } = await copy(originals, EXTERNAL, target);
    expect(notes).toEqual([{ path: "/x", code: "DER_NONEXIST", why: expect.any(String) }]);
    // biome-ignore lint/suspicious/noExplicitAny: two descriptions, of which all but one field is the same.
    const [copied] = canonicalByH5py(debianH5py as H5py, [join(target, EXTERNAL)]) as any[];
    // biome-ignore lint/suspicious/noExplicitAny: likewise.
    const original = originals.canonical.get(EXTERNAL) as any;
    expect(copied.objects["/x"]).toEqual({
      ...original.objects["/x"],
      layout: { kind: "contiguous" },
    });
  });
});

test("the user block comes first, padded as HDF5 wants it", async () => {
  const { MemoryHdf5 } = await import("../../support/memory-hdf5.ts");
  const file = new MemoryHdf5();
  file.userBlock = Uint8Array.from({ length: 700 }, (_, index) => index);
  const path = join(temporaryDirectory(), "a.h5");
  await writeH5(file, path);
  const bytes = readFileSync(path);
  expect(Buffer.compare(bytes.subarray(0, 700), file.userBlock)).toBe(0);
  expect(bytes.toString("latin1", 1025, 1028)).toBe("HDF");
  const again = await openH5File(path);
  expect(again.userBlock.length).toBe(1024);
  await again.close();
});
