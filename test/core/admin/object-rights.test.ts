/**
 * What each call of objects, key-value stores, arrays, file systems and their open files needs: every method, with a handle that may read and with one that may write too.
 *
 * A method that the tables do not know fails the test.
 *
 * @module
 */

import { finished } from "node:stream/promises";
import { describe, expect, test } from "@jest/globals";
import {
  type ArrayObject,
  type Container,
  type DaosObject,
  type KeyValue,
  ObjectType,
  Pool,
} from "daos-ts";
import { Dfs, type FileHandle } from "daos-ts/dfs";
import { temporaryDirectory } from "../../support/temporary.ts";

const bob = { user: "bob", groups: [] };
const key = Buffer.from("k");
const bytes = Buffer.from("bytes");

/** How a method is called; a `change` needs a handle for writing. */
interface Row<T> {
  readonly change?: true;
  call(object: T): unknown;
}
type Table<T> = Readonly<Record<string, Row<T>>>;
const read = <T>(call: (object: T) => unknown): Row<T> => ({ call });
const change = <T>(call: (object: T) => unknown): Row<T> => ({ call, change: true });

async function all(list: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of list);
}

const objects: Table<DaosObject> = {
  update: change((o) => o.update(key, [{ akey: key, value: bytes }])),
  fetch: read((o) => o.fetch(key, [{ akey: key }])),
  punch: change((o) => o.punch()),
  punchDkeys: change((o) => o.punchDkeys([key])),
  punchAkeys: change((o) => o.punchAkeys(key, [key])),
  punchRecords: change((o) =>
    o.punchRecords(key, { akey: bytes, recordSize: 1, ranges: [{ index: 0, count: 1 }] }),
  ),
  exists: read((o) => o.exists()),
  listDkeys: read((o) => all(o.listDkeys())),
  splitDkeys: read((o) => o.splitDkeys(2)),
  listAkeys: read((o) => all(o.listAkeys(key))),
  listRecords: read((o) => all(o.listRecords(key, bytes))),
  newestChange: read((o) => o.newestChange()),
  queryDkey: read((o) => o.queryDkey("max")),
  queryAkey: read((o) => o.queryAkey(key, "max")),
  queryRecord: read((o) => o.queryRecord(key, bytes, "max")),
};

const keyValues: Table<KeyValue> = {
  keyOf: read((o) => o.keyOf(key)),
  put: change((o) => o.put("k", bytes)),
  putMany: change((o) => o.putMany([["k", bytes]])),
  get: read((o) => o.get("k")),
  getMany: read((o) => o.getMany(["k"])),
  size: read((o) => o.size("k")),
  remove: change((o) => o.remove("k")),
  clear: change((o) => o.clear()),
  list: read((o) => all(o.list())),
  split: read((o) => o.split(2)),
  entries: read((o) => all(o.entries())),
};

const cells = { index: 0, count: bytes.length };
const arrays: Table<ArrayObject> = {
  read: read((o) => o.read(cells, Buffer.alloc(bytes.length))),
  write: change((o) => o.write(cells, bytes)),
  punch: change((o) => o.punch(cells)),
  getSize: read((o) => o.getSize()),
  setSize: change((o) => o.setSize(2)),
  destroy: change((o) => o.destroy()),
};

const files: Table<Dfs> = {
  access: read((d) => d.access("file")),
  appendFile: change((d) => d.appendFile("file", "x")),
  chmod: change((d) => d.chmod("file", 0o600)),
  chown: change((d) => d.chown("file", -1, -1)),
  close: read((d) => d.close()),
  copyFile: change((d) => d.copyFile("file", "copy")),
  cp: change((d) => d.cp("file", "copy", { force: true })),
  createReadStream: read((d) => all(d.createReadStream("file"))),
  createWriteStream: change((d) => ended(d.createWriteStream("written"))),
  exists: read((d) => d.exists("file")),
  getxattr: read((d) => d.getxattr("file", "user.a")),
  lchown: change((d) => d.lchown("file", -1, -1)),
  lgetxattr: read((d) => d.lgetxattr("file", "user.a")),
  listxattr: read((d) => d.listxattr("file")),
  llistxattr: read((d) => d.llistxattr("file")),
  lremovexattr: change((d) => d.lremovexattr("file", "user.a")),
  lsetxattr: change((d) => d.lsetxattr("file", "user.b", "x")),
  lstat: read((d) => d.lstat("file")),
  lutimes: change((d) => d.lutimes("file", 1, 2)),
  mkdir: change((d) => d.mkdir("new")),
  mkdtemp: change((d) => d.mkdtemp("t-")),
  open: read(async (d) => (await d.open("file", "r")).close()),
  opendir: read(async (d) => (await d.opendir(".")).close()),
  readFile: read((d) => d.readFile("file")),
  readdir: read((d) => d.readdir(".")),
  readlink: read((d) => d.readlink("link")),
  realpath: read((d) => d.realpath("link")),
  removexattr: change((d) => d.removexattr("file", "user.a")),
  rename: change((d) => d.rename("file", "other")),
  rm: change((d) => d.rm("file")),
  rmdir: change((d) => d.rmdir("empty")),
  setxattr: change((d) => d.setxattr("file", "user.b", "x")),
  stat: read((d) => d.stat("file")),
  statfs: read((d) => d.statfs("file")),
  symlink: change((d) => d.symlink("file", "another")),
  truncate: change((d) => d.truncate("file", 1)),
  unlink: change((d) => d.unlink("file")),
  utimes: change((d) => d.utimes("file", 1, 2)),
  watch: read((d) => d.watch("file").return?.()),
  writeFile: change((d) => d.writeFile("file", "x")),
};

/** Of a file that is open for reading: what changes its attributes needs a handle for writing all the same. */
const openFiles: Table<FileHandle> = {
  chmod: change((f) => f.chmod(0o600)),
  chown: change((f) => f.chown(-1, -1)),
  close: read((f) => f.close()),
  createReadStream: read((f) => all(f.createReadStream())),
  datasync: read((f) => f.datasync()),
  discard: read((f) => f.discard()),
  getxattr: read((f) => f.getxattr("user.a")),
  listxattr: read((f) => f.listxattr()),
  read: read((f) => f.read(Buffer.alloc(3))),
  readFile: read((f) => f.readFile()),
  readLines: read((f) => all(f.readLines())),
  readv: read((f) => f.readv([Buffer.alloc(3)])),
  removexattr: change((f) => f.removexattr("user.a")),
  setxattr: change((f) => f.setxattr("user.b", "x")),
  stat: read((f) => f.stat()),
  sync: read((f) => f.sync()),
  utimes: change((f) => f.utimes(1, 2)),
};
/** Calls that a file which is open for reading refuses to everybody. */
const WRITES = ["appendFile", "createWriteStream", "truncate", "write", "writeFile", "writev"];

async function ended(stream: NodeJS.WritableStream): Promise<void> {
  stream.end("x");
  await finished(stream);
}

/** Names of all methods of an object's classes. */
function methodsOf(object: object): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(object);
    at !== Object.prototype &&
    Object.hasOwn(at, "constructor") &&
    at.constructor.name !== "EventEmitter";
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names].sort();
}

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "allowed";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** A pool with a container that bob may use; with what the calls work on. */
interface Store extends AsyncDisposable {
  readonly container: Container;
  readonly oid: bigint;
  readonly keyValue: bigint;
  readonly array: bigint;
}

async function storeFor(rights: string): Promise<Store> {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const admin = Pool.create({
    path,
    durability: "process",
    acl: "A::OWNER@:rwcdtTaAo\nA::bob@:rw",
  });
  const acl = `A::OWNER@:rwdtTaAo\nA::bob@:${rights}`;
  const own = admin.createContainer("c", { acl });
  const oid = own.allocateOid(ObjectType.multiHashed);
  await own.openObject(oid).update(key, [
    { akey: key, value: bytes },
    { akey: bytes, recordSize: 1, ranges: [{ index: 0, count: 5 }], data: bytes },
  ]);
  const keyValue = own.createKeyValue();
  await keyValue.put("k", bytes);
  const array = await own.createArray();
  await array.write(cells, bytes);
  const dfs = Dfs.mount(own);
  await dfs.writeFile("file", bytes);
  await dfs.setxattr("file", "user.a", "x");
  await dfs.symlink("file", "link");
  await dfs.mkdir("empty");
  const pool = Pool.connect(path, { identity: bob });
  return {
    container: pool.openContainer("c"),
    ...{ oid, keyValue: keyValue.oid, array: array.oid },
    [Symbol.asyncDispose]: async () => {
      pool.close();
      admin.close();
    },
  };
}

/** Calls each method of a new object, in a new store after each change, and compares what came of it. */
async function check<T extends object>(
  rights: string,
  table: Table<T>,
  open: (store: Store) => T | Promise<T>,
  { refusal = "DER_NO_PERM", others = [] as readonly string[] } = {},
): Promise<void> {
  const seen: Record<string, string> = {};
  const expected: Record<string, string> = {};
  let methods: string[] = [];
  let store = await storeFor(rights);
  for (const [name, { change: isChange = false, call }] of Object.entries(table)) {
    const object = await open(store);
    methods = methodsOf(object);
    seen[name] = await codeOf(() => call(object));
    expected[name] = isChange && !rights.includes("w") ? refusal : "allowed";
    if (seen[name] === "allowed" && isChange) {
      await store[Symbol.asyncDispose]();
      store = await storeFor(rights);
    }
  }
  await store[Symbol.asyncDispose]();
  expect(seen).toEqual(expected);
  expect([...Object.keys(table), ...others].sort()).toEqual(methods);
}

describe.each(["r", "rw"])("P11: with %s on the container, the calls of", (rights) => {
  test("P11: an object", async () => {
    await check(rights, objects, ({ container, oid }) => container.openObject(oid));
  });

  test("P11: a key-value store", async () => {
    await check(rights, keyValues, (store) => store.container.openKeyValue(store.keyValue));
  });

  test("P11: an array", async () => {
    await check(rights, arrays, ({ container, array }) => container.openArray(array));
  });

  test("P11: a file system", async () => {
    const options = { refusal: "EROFS" };
    await check(rights, files, ({ container }) => Dfs.mount(container), options);
  });

  test("P11: a file that is open for reading", async () => {
    const open = ({ container }: Store) => Dfs.mount(container).open("file", "r");
    await check(rights, openFiles, open, { refusal: "EROFS", others: WRITES });
    for (const name of WRITES) {
      await using store = await storeFor(rights);
      const file = (await open(store)) as unknown as Record<string, (data: Buffer) => unknown>;
      const call = async () => {
        const result = await file[name]?.(bytes);
        if (name === "createWriteStream") await ended(result as NodeJS.WritableStream);
      };
      expect([name, await codeOf(call)]).toEqual([name, expect.stringMatching(/EBADF|EINVAL/)]);
    }
  });

  test("P11: opening a file for writing", async () => {
    await using store = await storeFor(rights);
    const opened = () => Dfs.mount(store.container).open("file", "r+");
    expect(await codeOf(opened)).toBe(rights === "r" ? "EROFS" : "allowed");
  });
});
