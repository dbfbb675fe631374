/**
 * `.h5` files as openH5File() reads them: what h5py says of them through libhdf5.
 *
 * Method: h5py makes a file for each feature of HDF5, and prints what each holds, to the bit; the same is made of
 * what this reader shows.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { openH5File } from "daos-ts/hdf5";
import {
  canonicalByH5py,
  debianH5py,
  describeH5py,
  type H5py,
  makeFiles,
  pypiH5py,
} from "../../support/h5py.ts";
import { isNightly } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf } from "../temporary-container.ts";
import { canonicalOf } from "./canonical.ts";

/** Features that only files of the newer format have. */
const ONLY_NEW = ["-attributes-large.h5"];
const FEATURES_MIN = 105;
/** Read through libhdf5 in a thread, which takes half a second to start: in the gate, of one format only. */
const BY_LIBRARY = /^layout-virtual.*\.h5$/;

/** The canonical form of a file, or why there is none. */
async function readCanonical(path: string): Promise<unknown> {
  try {
    const source = await openH5File(path);
    try {
      return await canonicalOf(source);
    } finally {
      await source.close();
    }
  } catch (error) {
    return { error: String(error) };
  }
}

/** Compares files of one h5py and format. */
async function expectAgreement(h5py: H5py, libver: "earliest" | "latest"): Promise<void> {
  const { directory, names, left } = makeFiles(h5py, temporaryDirectory(), libver);
  const leftNames = left.map((line) => line.slice(0, line.indexOf(":")));
  expect(leftNames).toEqual(libver === "earliest" ? ONLY_NEW : []);
  expect(names.length).toBeGreaterThan(FEATURES_MIN);
  const isQuick = libver === "earliest" && !isNightly;
  const paths = names
    .filter((name) => !(isQuick && BY_LIBRARY.test(name)))
    .map((name) => join(directory, name));
  const expected = canonicalByH5py(h5py, paths);
  for (const [index, path] of paths.entries()) {
    const seen = await readCanonical(path);
    const name = basename(path);
    expect({ name, ...(seen as object) }).toEqual({ name, ...(expected[index] as object) });
  }
}

/** The gate sees the newer format as the newest h5py makes it, if that is there. */
const DEBIAN_FORMATS =
  isNightly || pypiH5py === undefined ? (["earliest", "latest"] as const) : (["earliest"] as const);

describeH5py("openH5File() agrees with Debian's h5py", () => {
  test.each(DEBIAN_FORMATS)("in files of the %s format", async (libver) => {
    await expectAgreement(debianH5py as H5py, libver);
  });
});

/** `.h5` files that came with packages. */
function packagedFiles(): string[] {
  const folders = ["/usr/lib/python3/dist-packages/h5py", join(root, "node_modules", "h5wasm")];
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((path) => path.endsWith(".h5")),
  );
}

describeH5py("openH5File() and files that came with packages", () => {
  test("agrees with h5py on all that h5py can read", async () => {
    const paths = packagedFiles();
    expect(paths.length).toBeGreaterThan(3);
    const expected = canonicalByH5py(debianH5py as H5py, paths) as { error?: string }[];
    for (const [index, path] of paths.entries()) {
      if (expected[index]?.error === undefined) {
        expect([path, await readCanonical(path)]).toEqual([path, expected[index]]);
      }
    }
    expect(expected.filter(({ error }) => error === undefined).length).toBeGreaterThan(3);
  });
});

(pypiH5py === undefined ? describe.skip : describe)("openH5File() agrees with PyPI's h5py", () => {
  const formats = isNightly ? (["earliest", "latest"] as const) : (["latest"] as const);
  test.each(formats)("in files of the %s format", async (libver) => {
    await expectAgreement(pypiH5py as H5py, libver);
  });
});

describe("openH5File()", () => {
  test("says what is not there, and what is no HDF5 file", async () => {
    const directory = temporaryDirectory();
    expect(await codeOf(() => openH5File(join(directory, "nothing.h5")))).toBe("DER_NONEXIST");
    expect(await codeOf(() => openH5File(directory))).toBe("DER_INVAL");
    const text = new URL(import.meta.url).pathname;
    expect(readFileSync(text).length).toBeGreaterThan(0);
    expect(await codeOf(() => openH5File(text))).toBe("DER_INVAL");
  });
});
