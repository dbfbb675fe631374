/**
 * Files as import makes them and export reads them: objects of any description, elements as bytes.
 *
 * Method: build a file through the raw layer, publish it, open it in another handle, and walk it as a source.
 */

import { describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import { Dfs } from "daos-ts/dfs";
import { type Datatype, File, type Hdf5Source, type RawElements, storeSource } from "daos-ts/hdf5";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const NO_BITS = { bitOffset: 0, padding: { low: 0, high: 0 } } as const;
const INT16: Datatype = {
  class: "integer",
  size: 2,
  order: "big",
  isSigned: true,
  precision: 16,
  ...NO_BITS,
};
const TEXT: Datatype = { class: "vlenString", padding: "nullterm", charset: "utf8" };
const FILL = { allocation: "late", time: "ifset", value: undefined } as const;
const CONTIGUOUS = { kind: "contiguous" } as const;
const TRACKED = { isTracked: true, isIndexed: true };

/** What is left out of descriptions here. */
const plain = (
  type: Datatype,
  shape: readonly number[],
  maxShape: readonly (number | null)[] = shape,
) => ({
  type,
  committedType: undefined,
  space: { kind: "simple", shape, maxShape } as const,
  layout: CONTIGUOUS,
  filters: [],
  fill: FILL,
});

function slot(count: number, index: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(count);
  bytes.writeBigUInt64LE(BigInt(index), 8);
  return bytes;
}

/** Everything that a source shows, references and identities as names. */
async function walk(source: Hdf5Source): Promise<unknown> {
  const seen = new Map<string, string>();
  type Source = Awaited<ReturnType<Hdf5Source["root"]>>;
  const visit = async (group: Source, path: string): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const link of group.links()) {
      const name = `${path}/${link.name}`;
      if (link.kind !== "hard") {
        const { follow: _, ...facts } = { follow: undefined, ...link };
        found.push([name, facts]);
        continue;
      }
      const object = await link.open();
      const known = seen.get(object.id);
      if (known !== undefined) {
        found.push([name, "is", known]);
        continue;
      }
      seen.set(object.id, name);
      found.push([name, object.kind, object.comment]);
      if (object.kind === "group") found.push(...(await visit(object, name)));
    }
    return found;
  };
  const root = await source.root();
  seen.set(root.id, "/");
  return visit(root, "");
}

/** Makes a file, and hands it to `check` as another handle sees it. */
async function roundTrip(
  make: (root: File["stored"], file: File) => Promise<void> | void,
  check: (source: Hdf5Source, container: Container) => Promise<void>,
): Promise<void> {
  const { container } = temporaryContainer();
  const file = await File.open(container, "a.h5", "w");
  await make(file.stored, file);
  await file.close();
  await using again = await File.open(container, "a.h5");
  await check(storeSource(again), container);
}

/** The dataset of a name in the root. */
async function datasetOf(source: Hdf5Source, name: string) {
  for await (const link of (await source.root()).links()) {
    if (link.name !== name || link.kind !== "hard") continue;
    const object = await link.open();
    if (object.kind === "dataset") return object;
  }
  throw new Error(`no dataset ${name}`);
}

const raw = (bytes: Uint8Array, heap: readonly Uint8Array[] = []): RawElements => ({ bytes, heap });

describe("links", () => {
  test("of all kinds are kept, with their names, character sets and order", async () => {
    const long = "n".repeat(300);
    await roundTrip(
      (root) => {
        root.describe({ linkOrder: TRACKED, comment: "all kinds" });
        const z = root.createGroup("z", { comment: "first" });
        root.createDataset("..", plain(INT16, [1]));
        root.createDatatype(long, INT16);
        root.link("again", { kind: "hard", object: z });
        root.link("soft", { kind: "soft", path: "/nowhere" }, "utf8");
        root.link("external", { kind: "external", file: "b.h5", path: "/x" });
        root.link("user", { kind: "user", type: 200, data: Uint8Array.of(1, 2) });
        z.link("up", { kind: "hard", object: root });
        z.createGroup("Ä");
      },
      async (source, container) => {
        const ascii = { nameCharset: "ascii" };
        expect(await walk(source)).toEqual([
          ["/z", "group", "first"],
          ["/z/up", "is", "/"],
          ["/z/Ä", "group", undefined],
          ["/..", "dataset", undefined],
          [`/${long}`, "datatype", undefined],
          ["/again", "is", "/z"],
          ["/soft", { name: "soft", nameCharset: "utf8", kind: "soft", path: "/nowhere" }],
          ["/external", { name: "external", ...ascii, kind: "external", file: "b.h5", path: "/x" }],
          ["/user", { name: "user", ...ascii, kind: "user", type: 200, data: Uint8Array.of(1, 2) }],
        ]);
        expect((await source.root()).linkOrder).toEqual(TRACKED);
        expect((await source.root()).comment).toBe("all kinds");
        // Other front ends see one name of each object, and only names that they can have.
        expect(await Dfs.mount(container).readdir("a.h5/z")).toEqual(["Ä"]);
      },
    );
  });

  test("an object lives as long as one of its links", async () => {
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const d = await file.createDataset("d", {
      shape: [2],
      dtype: "int8",
      data: Int8Array.of(1, 2),
    });
    await d.attrs.set("a", 1);
    const found = (await file.get("d")) as typeof d;
    file.stored.link("e", { kind: "hard", object: found.stored });
    file.stored.createGroup("g").link("f", { kind: "hard", object: found.stored });
    await file.flush();
    await file.delete("d");
    await file.flush();
    const e = (await file.get("e")) as typeof d;
    expect([[...(await e.read()).data], await e.attrs.get("a")]).toEqual([[1, 2], 1]);
    expect(await Dfs.mount(container).readdir("a.h5")).toHaveLength(2);
    await file.delete("e");
    const f = (await file.get("g/f")) as typeof d;
    expect([...(await f.read()).data]).toEqual([1, 2]);
    await file.delete("g");
    await file.flush();
    using view = container.view();
    expect(view.exists(f.stored.oid)).toBe(false);
    await file.close();
  });
});

describe("datasets", () => {
  test("keep their descriptions, and bytes of any type", async () => {
    const description = {
      type: {
        class: "compound",
        size: 6,
        members: [{ name: "x", offset: 1, type: INT16 }],
      } as const,
      committedType: undefined,
      space: { kind: "simple", shape: [2, 3], maxShape: [null, 3] } as const,
      layout: { kind: "chunked", chunkShape: [2, 2] } as const,
      filters: [],
      fill: {
        allocation: "incremental",
        time: "alloc",
        value: raw(Uint8Array.of(9, 8, 7, 6, 5, 4)),
      } as const,
    };
    const box = { start: [1, 1], shape: [1, 2] };
    const bytes = Uint8Array.from({ length: 12 }, (_, index) => index);
    await roundTrip(
      async (root) => root.createDataset("d", description).write(box, raw(bytes)),
      async (source) => {
        const d = await datasetOf(source, "d");
        expect(d.description).toEqual(description);
        expect(d.storedChunks()).toBeUndefined();
        const all = await d.read({ start: [0, 0], shape: [2, 3] });
        const fill = [9, 8, 7, 6, 5, 4];
        expect([...all.bytes]).toEqual([fill, fill, fill, fill, [...bytes]].flat());
      },
    );
  });

  test("with filters keep their chunks as they were stored, and undo them", async () => {
    const filters = [
      { id: 2, name: "shuffle", isOptional: true, parameters: [2] },
      { id: 1, name: "deflate", isOptional: true, parameters: [4] },
      { id: 3, name: "fletcher32", isOptional: false, parameters: [] },
    ];
    const layout = { kind: "chunked", chunkShape: [2, 2] } as const;
    const description = { ...plain(INT16, [3, 3]), filters, layout };
    const bytes = Uint8Array.from({ length: 18 }, (_, index) => index);
    const all = { start: [0, 0], shape: [3, 3] };
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const d = file.stored.createDataset("d", description);
    await d.write(all, raw(bytes));
    const e = file.stored.createDataset("e", description);
    for await (const chunk of d.storedChunks() ?? []) await e.writeStoredChunk(chunk);
    await e.writeStoredChunk({ start: [2, 2], filterMask: 7, bytes: new Uint8Array(8).fill(5) });
    await file.close();
    await using again = await File.open(container, "a.h5");
    const source = await datasetOf(storeSource(again), "e");
    expect([...(await source.read(all)).bytes]).toEqual([...bytes.subarray(0, 16), 5, 5]);
    const starts: unknown[] = [];
    for await (const { start, filterMask } of source.storedChunks() ?? []) {
      starts.push([start, filterMask]);
    }
    expect(starts).toEqual([
      [[0, 0], 0],
      [[0, 2], 0],
      [[2, 0], 0],
      [[2, 2], 7],
    ]);
    expect(source.storedSize).toBeGreaterThan(8);
  });

  test("a chunk whose checksum differs is refused", async () => {
    const filters = [{ id: 3, name: "fletcher32", isOptional: false, parameters: [] }];
    const layout = { kind: "chunked", chunkShape: [2] } as const;
    await roundTrip(
      async (root) => {
        const d = root.createDataset("d", { ...plain(INT16, [2]), filters, layout });
        await d.writeStoredChunk({
          start: [0],
          filterMask: 0,
          bytes: Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0),
        });
      },
      async (source) => {
        const d = await datasetOf(source, "d");
        expect(await codeOf(() => d.read({ start: [0], shape: [2] }))).toBe("DER_CSUM");
      },
    );
  });

  test("keep elements of variable length, also nested ones and large ones", async () => {
    const nested: Datatype = { class: "vlen", base: { class: "vlen", base: INT16 } };
    const large = Buffer.alloc(2 ** 24 + 5, "x");
    const texts = [Buffer.from("Grüße"), large];
    await roundTrip(
      async (root) => {
        const text = root.createDataset("text", plain(TEXT, [3]));
        const slots = Buffer.concat([slot(7, 0), slot(0, 0), slot(large.length, 1)]);
        await text.write({ start: [0], shape: [3] }, raw(slots, texts));
        const lists = root.createDataset("lists", plain(nested, [2]));
        const inner = Buffer.concat([slot(1, 1), slot(2, 2)]);
        const heap = [inner, Buffer.from([0, 1]), Buffer.from([0, 2, 0, 3])];
        const outer = Buffer.concat([slot(2, 0), slot(0, 0)]);
        await lists.write({ start: [0], shape: [2] }, raw(outer, heap));
      },
      async (source) => {
        const { bytes, heap } = await (await datasetOf(source, "text")).read({
          start: [0],
          shape: [3],
        });
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const item = (at: number) => heap[Number(view.getBigUint64(at + 8, true))];
        expect([view.getUint32(0, true), view.getUint32(16, true)]).toEqual([7, 0]);
        expect(Buffer.compare(item(0) as Uint8Array, texts[0] as Uint8Array)).toBe(0);
        expect(Buffer.compare(item(32) as Uint8Array, large)).toBe(0);
        const lists = await (await datasetOf(source, "lists")).read({ start: [0], shape: [2] });
        expect(lists.heap.map((found) => [...found])).toEqual([
          [...slot(1, 1), ...slot(2, 2)],
          [0, 1],
          [0, 2, 0, 3],
        ]);
        expect([...lists.bytes]).toEqual([...slot(2, 0), ...slot(0, 0)]);
      },
    );
  });

  test("keep references to objects and regions", async () => {
    const object: Datatype = { class: "reference", kind: "object" };
    const region: Datatype = { class: "reference", kind: "region" };
    let reference = 0n;
    const said = () =>
      Buffer.from(JSON.stringify({ object: `${reference}`, selection: { kind: "all" } }));
    await roundTrip(
      async (root) => {
        const d = root.createDataset("d", plain(INT16, [4]));
        reference = d.reference();
        const bytes = Buffer.alloc(16);
        bytes.writeBigUInt64LE(reference, 8);
        await root
          .createDataset("refs", plain(object, [2]))
          .write({ start: [0], shape: [2] }, raw(bytes));
        const regions = Buffer.alloc(24);
        regions.writeBigUInt64LE(1n, 0);
        const target = root.createDataset("regions", plain(region, [2]));
        await target.write({ start: [0], shape: [2] }, raw(regions, [Buffer.alloc(0), said()]));
      },
      async (source) => {
        const { bytes } = await (await datasetOf(source, "refs")).read({ start: [0], shape: [2] });
        const view = new DataView(bytes.buffer);
        expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).toEqual([0n, reference]);
        expect((await source.resolve(reference))?.id).toBe((await datasetOf(source, "d")).id);
        expect(await source.resolve(12345n)).toBeUndefined();
        const regions = await (await datasetOf(source, "regions")).read({ start: [0], shape: [2] });
        expect([...regions.bytes]).toEqual([1, ...new Array(23).fill(0)]);
        expect(Buffer.from(regions.heap[1] as Uint8Array).toString()).toBe(said().toString());
      },
    );
  });
});

describe("attributes and user block", () => {
  test("of any type are kept, in the order of their creation", async () => {
    await roundTrip(
      (root, file) => {
        root.describe({ attributeOrder: TRACKED });
        const scalar = { kind: "scalar" } as const;
        const common = { committedType: undefined, space: scalar };
        root.putAttribute({
          name: "z",
          ...common,
          type: INT16,
          elements: raw(Uint8Array.of(1, 2)),
        });
        root.putAttribute({
          name: "a/b",
          nameCharset: "utf8",
          ...common,
          type: TEXT,
          elements: raw(slot(1, 0), [Buffer.from("t")]),
        });
        root.putAttribute({
          name: "z",
          ...common,
          type: INT16,
          elements: raw(Uint8Array.of(3, 4)),
        });
        file.setUserBlock(Buffer.alloc(512, "#"));
      },
      async (source) => {
        const found: unknown[] = [];
        for await (const attribute of (await source.root()).attributes()) {
          const { name, nameCharset, type } = attribute;
          const { bytes, heap } = await attribute.read();
          found.push([name, nameCharset, type.class, [...bytes], heap.map(String)]);
        }
        expect(found).toEqual([
          ["z", "ascii", "integer", [3, 4], []],
          ["a/b", "utf8", "vlenString", [...slot(1, 0)], ["116"]],
        ]);
        expect(Buffer.from(source.userBlock).toString()).toBe("#".repeat(512));
      },
    );
  });

  test("an attribute and a link of one name do not meet", async () => {
    const { container } = temporaryContainer();
    await using file = await File.open(container, "a.h5", "w");
    await file.attrs.set("u", 1);
    await file.createGroup("u");
    await file.delete("u");
    expect(await file.attrs.get("u")).toBe(1);
  });
});
