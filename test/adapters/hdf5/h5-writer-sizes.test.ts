/**
 * writeH5(): structures that grow with what they hold, and trees of any shape.
 *
 * Method: files are made in memory, as no other program writes them on demand; h5py's low-level view of what was
 * written must be what the source says of itself. A library that only reads may oversee much: files are changed by
 * it too.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  type CreationOrder,
  type Datatype,
  openH5File,
  type SourceObject,
  writeH5,
} from "daos-ts/hdf5";
import fc from "fast-check";
import { canonicalByH5py, debianH5py, describeH5py, runPython } from "../../support/h5py.ts";
import { type MemoryAttribute, type MemoryGroup, MemoryHdf5 } from "../../support/memory-hdf5.ts";
import { fcOptions, isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { canonicalOf } from "./canonical.ts";

const BITS = { bitOffset: 0, padding: { low: 0, high: 0 } } as const;
const INT32: Datatype = {
  ...{ class: "integer", size: 4, order: "little", isSigned: true, precision: 32 },
  ...BITS,
};
const UINT8: Datatype = {
  ...{ class: "integer", size: 1, order: "little", isSigned: false, precision: 8 },
  ...BITS,
};
const TEXT: Datatype = { class: "vlenString", padding: "nullterm", charset: "utf8" };
const BOTH_ORDERS = { isTracked: true, isIndexed: true };
const ONLY_TRACKED = { isTracked: true, isIndexed: false };
const UNTRACKED = { isTracked: false, isIndexed: false };
const ORDERS = [UNTRACKED, ONLY_TRACKED, BOTH_ORDERS];

const simple = (...shape: number[]) => ({ kind: "simple", shape, maxShape: shape }) as const;

function int32(...values: number[]) {
  return { bytes: new Uint8Array(Int32Array.from(values).buffer), heap: [] };
}

/** Bytes that no two places share. */
function bytesOf(size: number, seed = 1) {
  return { bytes: Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) % 251), heap: [] };
}

function attribute(name: string, size: number): MemoryAttribute {
  return { name, type: UINT8, space: simple(size), elements: bytesOf(size, name.length) };
}

/** Writes files, and compares what h5py sees with what they say of themselves. */
async function expectAgreement(files: readonly MemoryHdf5[]): Promise<void> {
  const directory = temporaryDirectory();
  const paths = files.map((_, index) => join(directory, `${index}.h5`));
  for (const [index, file] of files.entries()) {
    const { noteCount } = await writeH5(file, paths[index] as string);
    expect(noteCount).toBe(0);
  }
  const found = debianH5py === undefined ? [] : canonicalByH5py(debianH5py, paths);
  for (const [index, file] of files.entries()) {
    const expected = await canonicalOf(file);
    const source = await openH5File(paths[index] as string);
    expect(await canonicalOf(source)).toEqual(expected);
    await source.close();
    if (debianH5py !== undefined) expect(found[index]).toEqual(expected);
  }
}

/** A file with as many links as there are numbers. */
function withLinks(count: number, order: (typeof ORDERS)[number], nameSize = 1): MemoryHdf5 {
  const file = new MemoryHdf5({ linkOrder: order });
  const one = file.dataset({ type: INT32, elements: int32(7) });
  for (let index = 0; index < count; index++) {
    // Orders of creation, of names and of checksums differ.
    const name = `${(index * 7919) % 10_007}-${"n".repeat(nameSize)}`;
    if (index % 3 === 0) file.top.add(name, one);
    else if (index % 3 === 1)
      file.top.link({ name, nameCharset: "utf8", kind: "soft", path: `/${index}` });
    else file.top.link({ name, nameCharset: "ascii", kind: "external", file: "b.h5", path: "/x" });
  }
  return file;
}

describe("writeH5()", () => {
  test("writes groups of any number of links, however their order is kept", async () => {
    const counts = isNightly
      ? [0, 1, 8, 9, 40, 45, 46, 100, 700, 5000, 20_000]
      : [0, 8, 9, 46, 5000];
    await expectAgreement(
      counts.flatMap((count, index) =>
        (isNightly ? ORDERS : [ORDERS[index % 3] as typeof UNTRACKED]).map((order) =>
          withLinks(count, order),
        ),
      ),
    );
  });

  test("writes links with long names and values", async () => {
    const long = withLinks(12, BOTH_ORDERS, 5000);
    long.top.link({ name: "s", nameCharset: "ascii", kind: "soft", path: "p".repeat(65_535) });
    const large = new MemoryHdf5();
    large.top.link({ name: "s", nameCharset: "ascii", kind: "soft", path: "p".repeat(65_535) });
    await expectAgreement([
      long,
      large,
      withLinks(30, UNTRACKED, 300),
      withLinks(9, ONLY_TRACKED, 4070),
    ]);
  });

  test("writes any number of attributes of any size", async () => {
    const sizes = [0, 1, 100, 4000, 4090, 5000, 65_000, 65_600, 80_000, 300_000];
    const files = [
      ...ORDERS.map((attributeOrder) => {
        const all = Array.from({ length: 1000 }, (_, index) =>
          attribute(`${(index * 7) % 1009}`, 20),
        );
        return new MemoryHdf5({ attributes: all, attributeOrder });
      }),
      new MemoryHdf5({ attributes: sizes.map((size) => attribute(`a${size}`, size)) }),
      ...sizes.map((size) => {
        const attributes = [attribute("a", size)];
        return new MemoryHdf5({ attributes, attributeOrder: BOTH_ORDERS });
      }),
    ];
    await expectAgreement(files);
  });

  test("writes groups a thousand levels deep", async () => {
    const file = new MemoryHdf5();
    let group: MemoryGroup = file.top;
    // h5py's walk, not the format, is what ends here.
    for (let depth = 0; depth < 200; depth++) group = group.add("g");
    group.add("x", file.dataset({ type: INT32, elements: int32(1) }));
    await expectAgreement([file]);
    for (let depth = 0; depth < 3000; depth++) group = group.add("g");
    const { groups } = await writeH5(file, join(temporaryDirectory(), "a.h5"));
    expect(groups).toBe(3201);
  });

  test("writes any number of chunks", async () => {
    const file = new MemoryHdf5();
    const chunked = (chunkShape: number[]) => ({ kind: "chunked", chunkShape }) as const;
    // One node of the index, two, several levels, edges, and a single chunk that is larger than its dataset.
    for (const [shape, chunkShape] of [
      [[64], [1]],
      [[65], [1]],
      [[700], [1]],
      [[4200], [1]],
      [
        [33, 17],
        [2, 3],
      ],
      [
        [5, 4, 3],
        [2, 4, 2],
      ],
      [[3], [10]],
    ] as const) {
      const elements = bytesOf(4 * shape.reduce((product: number, extent) => product * extent, 1));
      const layout = chunked([...chunkShape]);
      const space = { kind: "simple", shape, maxShape: shape.map(() => null) } as const;
      file.top.add(`${shape}`, file.dataset({ type: INT32, space, layout, elements }));
    }
    const filters = [
      { id: 2, name: "shuffle", isOptional: true, parameters: [4] },
      { id: 1, name: "deflate", isOptional: true, parameters: [4] },
    ];
    const elements = bytesOf(4 * 3000);
    const filtered = { type: INT32, space: simple(3000), layout: chunked([700]), filters };
    file.top.add("filtered", file.dataset({ ...filtered, elements }));
    file.top.add("nothing written", file.dataset(filtered));
    await expectAgreement([file]);
  });

  test("writes objects that refer to each other, and to those without a name", async () => {
    const file = new MemoryHdf5();
    const group = file.top.add("g");
    group.add("up", file.top as SourceObject);
    group.add("self", group);
    const hidden = file.dataset({ type: INT32, elements: int32(5) });
    const references = (...objects: SourceObject[]) => ({
      bytes: new Uint8Array(BigUint64Array.from(objects.map(({ reference }) => reference)).buffer),
      heap: [],
    });
    const type: Datatype = { class: "reference", kind: "object" };
    const later = file.group();
    file.top.add(
      "a",
      file.dataset({
        ...{ type, space: simple(3) },
        elements: references(later, hidden, file.top),
        attributes: [{ name: "r", type, space: { kind: "scalar" }, elements: references(later) }],
      }),
    );
    file.top.add("z", later);
    const committed = file.datatype(INT32);
    for (const name of ["b", "c"]) {
      file.top.add(
        name,
        file.dataset({ type: INT32, committedType: committed.id, elements: int32(1) }),
      );
    }
    file.top.add("type", committed);
    const path = join(temporaryDirectory(), "a.h5");
    await writeH5(file, path);
    const source = await openH5File(path);
    const found = await canonicalOf(source);
    expect(found).toEqual(await canonicalOf(file));
    // The object without a name is there too.
    const root = await source.root();
    for await (const link of root.links()) {
      if (link.name !== "a" || link.kind !== "hard") continue;
      const object = await link.open();
      if (object.kind !== "dataset") throw new Error("no dataset");
      const { bytes } = await object.read({ start: [0], shape: [3] });
      const target = await source.resolve(Buffer.from(bytes).readBigUInt64LE(8));
      expect(target).toMatchObject({ kind: "dataset" });
    }
    await source.close();
  });

  test("a reference that leads nowhere becomes none, and is reported", async () => {
    const file = new MemoryHdf5();
    const type: Datatype = { class: "reference", kind: "object" };
    const elements = { bytes: new Uint8Array(BigUint64Array.of(99n, 0n).buffer), heap: [] };
    file.top.add("r", file.dataset({ type, space: simple(2), elements }));
    const report = await writeH5(file, join(temporaryDirectory(), "a.h5"));
    expect(report.notes).toEqual([{ path: "/r", code: "DER_NONEXIST", why: expect.any(String) }]);
  });
});

describeH5py("what writeH5() wrote", () => {
  test("can be changed by libhdf5", async () => {
    const directory = temporaryDirectory();
    const paths = await Promise.all(
      ORDERS.map(async (order, index) => {
        const file = withLinks(600, order);
        const attributes = Array.from({ length: 50 }, (_, number) => attribute(`a${number}`, 60));
        const layout = { kind: "chunked", chunkShape: [3] } as const;
        const space = { kind: "simple", shape: [500], maxShape: [null] } as const;
        const d = file.dataset({
          ...{ type: INT32, layout, space, elements: bytesOf(2000) },
          ...{ attributes, attributeOrder: order },
        });
        file.top.add("d", d);
        const text = { kind: "simple", shape: [2], maxShape: [2] } as const;
        const slots = Buffer.alloc(32);
        slots.writeUInt32LE(3, 0);
        const elements = { bytes: slots, heap: [Buffer.from("abc")] };
        file.top.add("text", file.dataset({ type: TEXT, space: text, elements }));
        const path = join(directory, `${index}.h5`);
        await writeH5(file, path);
        return path;
      }),
    );
    const { status, stdout, stderr } = runPython(
      debianH5py ?? { name: "", python: "" },
      "change_files.py",
      paths,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trim().split("\n")).toEqual(ORDERS.map(() => "changed"));
  });
});

/** Names with what is rare: beyond ASCII, long, nearly alike. */
const name = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-c]{1,2}$/) },
  fc.stringMatching(/^[äß∂𝄞 .]{1,6}$/u).filter((text) => !/^\.+$/.test(text)),
  fc.stringMatching(/^[xy]{250,270}$/),
);
const order = fc.constantFrom(...ORDERS);
const attributes = fc.uniqueArray(
  fc
    .tuple(name, fc.integer({ min: 0, max: 6000 }))
    .map(([of, size]) => ({ ...attribute(of, size), nameCharset: "utf8" as const })),
  { maxLength: 12, selector: (one) => one.name },
);
/** A tree as data: what it consists of, and which names lead to objects that have one already. */
const tree = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      kind: fc.constant("dataset"),
      size: fc.integer({ min: 0, max: 5000 }),
      chunk: fc.integer({ min: 0, max: 700 }),
      attributes,
      order,
    }),
    fc.record({ kind: fc.constant("again"), number: fc.nat(20) }),
    fc.record({ kind: fc.constant("soft"), path: name }),
    fc.record({ kind: fc.constant("datatype"), attributes, order }),
    fc.record({
      kind: fc.constant("group"),
      links: fc.uniqueArray(fc.tuple(name, tie("node")), { maxLength: 14, selector: ([of]) => of }),
      ...{ attributes, order, attributeOrder: order },
    }),
  ),
})).node;

/** What the arbitrary above makes. */
type Node = { readonly attributes: MemoryAttribute[]; readonly order: CreationOrder } & (
  | { readonly kind: "dataset"; readonly size: number; readonly chunk: number }
  | { readonly kind: "again"; readonly number: number }
  | { readonly kind: "soft"; readonly path: string }
  | { readonly kind: "datatype" }
  | { readonly kind: "group"; readonly links: Links; readonly attributeOrder: CreationOrder }
);
type Links = readonly (readonly [string, Node])[];

function build(file: MemoryHdf5, group: MemoryGroup, links: Links, made: SourceObject[]): void {
  for (const [of, node] of links) {
    const attributeOrder = node.kind === "group" ? node.attributeOrder : node.order;
    const facts = { attributes: node.attributes, attributeOrder };
    const common = { name: of, nameCharset: "utf8" } as const;
    const add = <T extends SourceObject>(object: T): T => {
      made.push(object);
      group.link({ ...common, kind: "hard", object });
      return object;
    };
    if (node.kind === "soft") group.link({ ...common, kind: "soft", path: node.path });
    else if (node.kind === "again")
      group.link({
        ...common,
        kind: "hard",
        object: made[node.number % made.length] as SourceObject,
      });
    else if (node.kind === "datatype") add(file.datatype(INT32, { attributes: node.attributes }));
    else if (node.kind === "group")
      build(file, add(file.group({ ...facts, linkOrder: node.order })), node.links, made);
    else {
      const layout =
        node.chunk === 0
          ? ({ kind: "contiguous" } as const)
          : ({ kind: "chunked", chunkShape: [node.chunk] } as const);
      const space = {
        kind: "simple",
        shape: [node.size],
        maxShape: [node.chunk === 0 ? node.size : null],
      } as const;
      add(file.dataset({ type: UINT8, space, layout, elements: bytesOf(node.size), ...facts }));
    }
  }
}

test("Property: writeH5() writes trees of any shape", async () => {
  const files = fc.sample(
    fc.uniqueArray(fc.tuple(name, tree), { maxLength: 14, selector: ([of]) => of }),
    fcOptions(15),
  );
  await expectAgreement(
    files.map((links) => {
      const file = new MemoryHdf5();
      build(file, file.top, links as Links, [file.top]);
      return file;
    }),
  );
});
