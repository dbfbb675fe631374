/**
 * What each call needs: every method of pool and container handles against every permission.
 *
 * A handle is opened with all permissions but one, and with one beside those that open it. A call that the
 * tables do not know fails the test.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, isDaosError, type ObjectId, ObjectType, Pool } from "daos-ts";
import { SoloCommunicator } from "daos-ts/mpi-io";
import { temporaryDirectory } from "../../support/temporary.ts";

const PERMISSIONS = [..."rwcdtTaAo"];
const OWNER = "A::OWNER@:rwcdtTaAo";
const CONTAINER_OWNER = "A::OWNER@:rwdtTaAo";
const bob = { user: "bob", groups: [] };
const key = Buffer.from("k");
const oid = 7n;

/** What a call works on, besides its handle. */
interface Place {
  /** The administrator's handle. */
  readonly admin: Pool;
  /** Of the pool or container, as it is. */
  readonly acl: string;
  /** A key-value object and an array of the container. */
  readonly keyValue: ObjectId;
  readonly array: ObjectId;
}

/** How a call is made. A `change` needs a handle for writing too. */
interface Row<T> {
  /** Permissions of which one suffices; empty if it is enough to have a handle. */
  readonly needs: string;
  readonly change?: true;
  call(handle: T, place: Place): unknown;
}
type Table<T> = Readonly<Record<string, Row<T>>>;

const change = true as const;
const administered: Table<Pool | Container> = {
  listAttributes: { needs: "r", call: (h) => h.listAttributes() },
  getAttributes: { needs: "r", call: (h) => h.getAttributes() },
  setAttributes: { needs: "w", change, call: (h) => h.setAttributes({ a: "b" }) },
  deleteAttributes: { needs: "w", change, call: (h) => h.deleteAttributes(["kept"]) },
  getProperties: { needs: "rt", call: (h) => h.getProperties() },
  setProperties: { needs: "T", change, call: (h) => h.setProperties({ reclaim: "lazy" }) },
  getAcl: { needs: "a", call: (h) => h.getAcl() },
  overwriteAcl: { needs: "A", change, call: (h, { acl }) => h.overwriteAcl(acl) },
  updateAcl: { needs: "A", change, call: (h) => h.updateAcl("A::carol@:r") },
  deleteAclEntry: { needs: "A", change, call: (h) => h.deleteAclEntry("u:dave@") },
  setOwner: { needs: "o", change, call: (h) => h.setOwner({ group: "root" }) },
  toGlobal: { needs: "", call: (h) => h.toGlobal() },
  close: { needs: "", call: (h) => h.close() },
};

const pools: Table<Pool> = {
  ...administered,
  query: { needs: "", call: (h) => h.query() },
  metrics: { needs: "", call: (h) => h.metrics() },
  setSize: { needs: "w", change, call: (h) => h.setSize({}) },
  createContainer: { needs: "cw", change, call: (h) => h.createContainer("new") },
  openContainer: { needs: "", call: (h) => h.openContainer("c", { mode: "ro" }) },
  containerFromGlobal: {
    needs: "",
    call: (h, { admin }) => {
      const bytes = admin.openContainer("c", { mode: "ro" }).toGlobal();
      return h.containerFromGlobal(bytes);
    },
  },
  destroyContainer: { needs: "dw", change, call: (h) => h.destroyContainer("gone") },
  listContainers: { needs: "", call: (h) => h.listContainers() },
  recover: { needs: "wcd", change, call: (h) => h.recover() },
  scrub: { needs: "", call: (h) => h.scrub() },
  scrubSteps: { needs: "", call: (h) => [...h.scrubSteps()] },
};

const containers: Table<Container> = {
  ...administered,
  setProperties: {
    needs: "T",
    change,
    call: (h) => h.setProperties({ status: "healthy" }),
  },
  query: { needs: "", call: (h) => h.query() },
  usage: { needs: "", call: (h) => h.usage() },
  allocateOid: { needs: "w", change, call: (h) => h.allocateOid(ObjectType.arrayByte) },
  allocateOids: { needs: "w", change, call: (h) => h.allocateOids(4) },
  begin: { needs: "w", change, call: (h) => h.begin().abort() },
  beginCollective: {
    needs: "w",
    change,
    call: (h) => h.beginCollective(new SoloCommunicator()).abort(),
  },
  commit: { needs: "w", change, call: (h) => h.commit(h.begin()) },
  update: { needs: "w", change, call: (h) => h.update((tx) => tx.punch(oid)) },
  beginTransaction: { needs: "w", change, call: (h) => h.beginTransaction().abort() },
  runTransaction: {
    needs: "w",
    change,
    call: (h) => h.runTransaction(({ own }) => own.punch(oid)),
  },
  runTransactionAsync: {
    needs: "w",
    change,
    call: (h) => h.runTransactionAsync(async ({ own }) => own.punch(oid)),
  },
  publish: { needs: "w", change, call: (h) => h.publish([], h.newTransactionId()) },
  openObject: { needs: "r", call: (h) => h.openObject(oid).exists() },
  openKeyValue: { needs: "r", call: (h, { keyValue }) => h.openKeyValue(keyValue).get("k") },
  createKeyValue: { needs: "w", change, call: (h) => h.createKeyValue().put("k", key) },
  openArray: { needs: "r", call: (h, { array }) => h.openArray(array) },
  createArray: { needs: "w", change, call: (h) => h.createArray() },
  newTransactionId: { needs: "", call: (h) => h.newTransactionId() },
  epochOf: { needs: "r", call: (h) => h.epochOf(h.newTransactionId()) },
  incarnation: { needs: "r", call: (h) => h.incarnation(oid) },
  view: { needs: "r", call: (h) => h.view().close() },
  isNewest: {
    needs: "r",
    call: (h) => {
      const view = h.view();
      h.isNewest(view);
      view.close();
    },
  },
  epochAt: { needs: "r", call: (h) => h.epochAt(new Date()) },
  setRetention: { needs: "w", change, call: (h) => h.setRetention({ commits: 3 }) },
  commits: { needs: "r", call: (h) => h.commits() },
  diff: { needs: "r", call: (h) => [...h.diff(newestOf(h), newestOf(h))] },
  rollback: { needs: "w", change, call: (h) => h.rollback(newestOf(h)) },
  watch: { needs: "r", call: (h) => h.watch().return?.() },
  waitFor: { needs: "r", call: (h) => h.waitFor(newestOf(h)) },
  createSnapshot: { needs: "w", change, call: (h) => h.createSnapshot("new") },
  listSnapshots: { needs: "r", call: (h) => h.listSnapshots() },
  destroySnapshot: { needs: "w", change, call: (h) => h.destroySnapshot("gone") },
  openObjectTable: { needs: "r", call: (h) => h.openObjectTable({ snapshot: "gone" }).close() },
  aggregate: { needs: "w", change, call: (h) => h.aggregate() },
  aggregateSteps: { needs: "w", change, call: (h) => [...h.aggregateSteps()] },
  startAggregation: { needs: "w", change, call: (h) => h.startAggregation().stop() },
};
const newestOf = (h: Container) => h.commits()[0]?.epoch ?? 0n;

/** What is protected: no calls of users. */
const PROTECTED = [
  "administered",
  "epochOfVersion",
  "pinVersion",
  "requireOpen",
  "requireWritable",
];

/** Names of all methods of a handle. */
function methodsOf(handle: object): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(handle);
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      const isCall = typeof value === "function" && name !== "constructor";
      if (isCall && !PROTECTED.includes(name)) names.add(name);
    }
  }
  return [...names].sort();
}

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "allowed";
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
}

const without = (letter: string) => PERMISSIONS.filter((p) => p !== letter).join("");
/** All but one, and one beside what opens a handle. */
const poolRights = [
  ...PERMISSIONS.filter((p) => p !== "r").map(without),
  ...PERMISSIONS.map((p) => (p === "r" ? "r" : `r${p}`)),
];

describe("P11: calls of a pool handle", () => {
  test.each(poolRights)("P11: with %s", async (rights) => {
    const acl = `${OWNER}\nA::bob@:${rights}\nA::dave@:r`;
    const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
    using admin = Pool.create({ path, durability: "process", acl });
    admin.setAttributes({ kept: "x" });
    const isWriter = /[wcd]/.test(rights);
    const seen: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [name, { needs, change: isChange = false, call }] of Object.entries(pools)) {
      admin.overwriteAcl(acl);
      for (const label of ["c", "gone"]) {
        if (!admin.listContainers().includes(label)) admin.createContainer(label).close();
      }
      if (name === "createContainer" && admin.listContainers().includes("new")) {
        admin.destroyContainer("new");
      }
      if (admin.listAttributes().length === 0) admin.setAttributes({ kept: "x" });
      const handle = Pool.connect(path, { mode: isWriter ? "rw" : "ro", identity: bob });
      seen[name] = await codeOf(() => call(handle, { admin, acl, keyValue: 0n, array: 0n }));
      const has = needs === "" || [...needs].some((letter) => rights.includes(letter));
      expected[name] = has && (isWriter || !isChange) ? "allowed" : "DER_NO_PERM";
      handle.close();
    }
    expect(seen).toEqual(expected);
    expect(Object.keys(pools).sort()).toEqual(methodsOf(admin));
  });
});

describe("P11: calls of a container handle", () => {
  const all = PERMISSIONS.filter((p) => p !== "c");
  const sets = [
    ...all.filter((p) => p !== "r").map((p) => all.filter((other) => other !== p).join("")),
    ...all.map((p) => (p === "r" ? "r" : `r${p}`)),
  ];

  test.each(sets)("P11: with %s", async (rights) => {
    const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
    const poolAcl = `${OWNER}\nA::bob@:rw`;
    using admin = Pool.create({ path, durability: "process", acl: poolAcl });
    const acl = `${CONTAINER_OWNER}\nA::bob@:${rights}\nA::dave@:r`;
    using own = admin.createContainer("c", { acl });
    using pool = Pool.connect(path, { identity: bob });
    const { oid: keyValue } = own.createKeyValue();
    const { oid: array } = await own.createArray();
    const place = { admin, acl, keyValue, array };
    const isWriter = rights.includes("w");
    const seen: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [name, { needs, change: isChange = false, call }] of Object.entries(containers)) {
      own.overwriteAcl(acl);
      own.setAttributes({ kept: "x" });
      own.update((tx) => tx.put({ oid, dkey: key, akey: key, value: key, condition: "none" }));
      if (!own.listSnapshots().some((snapshot) => snapshot.name === "gone")) {
        own.createSnapshot("gone");
      }
      const handle = pool.openContainer("c");
      seen[name] = await codeOf(() => call(handle, place));
      const has = needs === "" || [...needs].some((letter) => rights.includes(letter));
      expected[name] = has && (isWriter || !isChange) ? "allowed" : "DER_NO_PERM";
      handle.close();
    }
    expect(seen).toEqual(expected);
    expect(Object.keys(containers).sort()).toEqual(methodsOf(own));
  });
});
