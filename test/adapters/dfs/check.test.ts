/**
 * Checking and repairing the file system of a container: each fault is made by hand, found, and repaired.
 */

import { beforeEach, describe, expect, test } from "@jest/globals";
import { type Container, formatOid, ObjectType, Pattern, wholeOf } from "daos-ts";
import { checkFileSystem, Dfs, type FileSystemFault, LOST_AND_FOUND, ROOT_OID } from "daos-ts/dfs";
import { File } from "daos-ts/hdf5";
import { codeOf, connectAgain, temporaryContainer } from "../temporary-container.ts";

const INODE = Buffer.from("DFS_INODE");

let container: Container;
let dfs: Dfs;
let connectReadOnly: () => Container;

beforeEach(async () => {
  const made = temporaryContainer({ retainCommits: 100 });
  container = made.container;
  connectReadOnly = () => connectAgain(made.pool, "ro");
  dfs = Dfs.mount(container);
  await dfs.mkdir("d/e", { recursive: true });
  await dfs.writeFile("d/f", "file");
  await dfs.writeFile("d/e/g", "deep");
  await dfs.symlink("d", "l");
});

/** What is stored for a name. */
function stored(directory: bigint, name: string): Uint8Array {
  using view = container.view();
  const value = view.getValue(directory, Buffer.from(name), INODE);
  if (value === undefined) throw new Error(`no ${name}`);
  return value;
}

/** Stores something for a name; removes it without a value. */
function store(directory: bigint, name: string | Uint8Array, value: Uint8Array | undefined): void {
  const dkey = Buffer.from(name);
  container.update((own) => {
    own.put({ oid: directory, dkey, akey: INODE, value, condition: "none" });
  });
}

const oidOf = async (path: string) => (await dfs.lstat(path, { bigint: true })).ino;

/** Finds the faults, repairs them, and finds no more. */
async function repaired(): Promise<readonly FileSystemFault[]> {
  const before = await checkFileSystem(container);
  expect(before).toMatchObject({ repaired: 0, repairEpoch: undefined });
  const done = await checkFileSystem(container, { repair: true });
  expect(done.faults).toEqual(before.faults);
  expect(done.repaired).toBe(done.faults.length);
  expect((await checkFileSystem(container)).faults).toEqual([]);
  return done.faults;
}

describe("DFS: checkFileSystem()", () => {
  test("DFS: finds nothing where there is nothing, and counts", async () => {
    const report = await checkFileSystem(container, { repair: true });
    expect(report).toEqual({
      epoch: report.epoch,
      files: 2,
      directories: 2,
      links: 1,
      otherObjects: 0,
      faults: [],
      repaired: 0,
      repairEpoch: undefined,
    });
  });

  test("DFS: gives files without a name one in /lost+found", async () => {
    const oid = await oidOf("d/f");
    store(await oidOf("d"), "f", undefined);
    const path = `${LOST_AND_FOUND}/${formatOid(oid)}`;
    expect(await repaired()).toEqual([{ kind: "orphan", entry: "file", oid, path }]);
    expect(await dfs.readFile(path, "utf8")).toBe("file");
    expect((await dfs.stat(path)).mode & 0o777).toBe(0o600);
  });

  test("DFS: gives a tree without a name one name, that of its top", async () => {
    const oid = await oidOf("d");
    store(ROOT_OID, "d", undefined);
    const path = `${LOST_AND_FOUND}/${formatOid(oid)}`;
    expect(await repaired()).toEqual([{ kind: "orphan", entry: "directory", oid, path }]);
    expect(await dfs.readFile(`${path}/e/g`, "utf8")).toBe("deep");
    await dfs.rename(path, "d");
    expect(await dfs.readdir("/", { recursive: true })).toEqual([
      "d",
      "l",
      "lost+found",
      "d/e",
      "d/f",
      "d/e/g",
    ]);
  });

  test("DFS: removes an inode that cannot be read, and names its object", async () => {
    const oid = await oidOf("d/f");
    store(await oidOf("d"), "f", Buffer.from("nonsense"));
    expect(await codeOf(() => dfs.readFile("d/f"))).toBe("EIO");
    expect(await dfs.readdir("d")).toEqual(["e", "f"]);
    expect(await codeOf(() => dfs.readdir("d", { withFileTypes: true }))).toBe("EIO");
    const faults = await repaired();
    expect(faults.map(({ kind }) => kind)).toEqual(["bad-inode", "orphan"]);
    expect(faults[0]?.path).toBe("/d/f");
    expect(await dfs.readFile(`${LOST_AND_FOUND}/${formatOid(oid)}`, "utf8")).toBe("file");
    expect(await dfs.readdir("d")).toEqual(["e"]);
  });

  test.each<[string, string | Uint8Array]>([
    ["a slash", "a/b"],
    ["two dots", ".."],
    ["bytes that are no text", Buffer.from([0xff, 0x41])],
  ])("DFS: moves a name that no path can have: %s", async (_what, name) => {
    const directory = await oidOf("d");
    const oid = await oidOf("d/f");
    const value = stored(directory, "f");
    store(directory, "f", undefined);
    store(directory, name, value);
    expect(await repaired()).toMatchObject([{ kind: "bad-name", oid }]);
    expect(await dfs.readFile(`${LOST_AND_FOUND}/${formatOid(oid)}`, "utf8")).toBe("file");
    expect(await dfs.readdir("d")).toEqual(["e"]);
  });

  test("DFS: removes a second name, and leaves the one nearer to the root", async () => {
    const oid = await oidOf("d/f");
    store(await oidOf("d/e"), "again", stored(await oidOf("d"), "f"));
    const second = { kind: "second-name", path: "/d/e/again", oid, first: "/d/f" };
    expect(await repaired()).toEqual([second]);
    expect(await dfs.readFile("d/f", "utf8")).toBe("file");
    expect(await dfs.readdir("d/e")).toEqual(["g"]);
  });

  test("DFS: cuts a directory that leads back to where it lies, also to the root", async () => {
    const oid = await oidOf("d");
    store(await oidOf("d/e"), "back", stored(ROOT_OID, "d"));
    await dfs.chmod("/", 0o700);
    const root = Buffer.from(stored(ROOT_OID, "d"));
    root.writeBigUInt64BE(ROOT_OID >> 64n, 16);
    root.writeBigUInt64BE(ROOT_OID & 0xffff_ffff_ffff_ffffn, 24);
    store(oid, "top", root);
    expect(await repaired()).toEqual([
      { kind: "directory-loop", path: "/d/top", oid: ROOT_OID, first: "/" },
      { kind: "directory-loop", path: "/d/e/back", oid, first: "/d" },
    ]);
    expect(await dfs.readdir("/", { recursive: true })).toEqual(["d", "l", "d/e", "d/f", "d/e/g"]);
  });

  test("DFS: opens a circle of directories that nothing leads to", async () => {
    const [outer, inner] = [await oidOf("d"), await oidOf("d/e")];
    store(inner, "back", stored(ROOT_OID, "d"));
    store(ROOT_OID, "d", undefined);
    const faults = await repaired();
    const [top] = [outer, inner].sort((a, b) => (a < b ? -1 : 1)) as [bigint];
    expect(faults).toMatchObject([
      { kind: "orphan", oid: top },
      { kind: "directory-loop", oid: top },
    ]);
    expect((await checkFileSystem(container)).files).toBe(2);
  });

  test("DFS: removes a name whose object is of the wrong type", async () => {
    const file = await oidOf("d/f");
    const value = Buffer.from(stored(await oidOf("d"), "f"));
    value.writeUInt8(1, 1); // a directory
    store(await oidOf("d"), "f", value);
    const wrong = { kind: "wrong-object", path: "/d/f", oid: file, entry: "directory" };
    expect((await repaired())[0]).toEqual(wrong);
    expect(await dfs.readdir(LOST_AND_FOUND)).toEqual([formatOid(file)]);
  });

  test("DFS: a rollback, or an object that was removed without its name, is no fault", async () => {
    await dfs.writeFile("empty", "");
    const { epoch } = container.commits()[0] ?? { epoch: 0n };
    await dfs.rm("empty");
    await dfs.rename("d", "moved");
    container.rollback(epoch);
    expect((await checkFileSystem(container)).faults).toEqual([]);
    expect(await dfs.readFile("l/e/g", "utf8")).toBe("deep");
    const oid = await oidOf("d/f");
    container.update((own) => own.punch(oid));
    expect((await checkFileSystem(container)).faults).toEqual([]);
    await dfs.appendFile("d/f", "new");
    expect(await dfs.readFile("d/f", "utf8")).toBe("new");
  });

  test("DFS: finds no faults in HDF5-like files", async () => {
    const file = await File.open(container, "d/a.h5", "w");
    const group = await file.createGroup("g");
    await group.attrs.set("unit", "m");
    await group.createDataset("x", { shape: [2], dtype: "float64", data: Float64Array.of(1, 2) });
    await file.close();
    expect(await checkFileSystem(container)).toMatchObject({
      faults: [],
      files: 3,
      directories: 4,
    });
  });

  test("DFS: leaves objects alone that are no files, and what was changed meanwhile", async () => {
    const values = container.createKeyValue();
    await values.put("a", Buffer.from("b"));
    expect(await checkFileSystem(container, { repair: true })).toMatchObject({
      otherObjects: 1,
      faults: [],
    });
    const array = container.allocateOid(ObjectType.arrayByte);
    container.update((own) =>
      own.write(array, wholeOf(Pattern.contiguous(0, 1)), Buffer.from("x")),
    );
    expect((await checkFileSystem(container)).faults).toHaveLength(1);
    expect(await codeOf(() => checkFileSystem(connectReadOnly(), { repair: true }))).toBe("EROFS");
    expect((await checkFileSystem(connectReadOnly())).faults).toHaveLength(1);
    const [one, two] = await Promise.all([
      checkFileSystem(container, { repair: true }),
      checkFileSystem(container, { repair: true }),
    ]);
    expect(one.repaired + two.repaired).toBe(1);
    expect((await checkFileSystem(container)).faults).toEqual([]);
  });
});
