/**
 * The durable records of HDF5-like files: the bytes that the documentation shows, and refusal of others.
 */

import { describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import { lookup } from "daos-ts/dfs";
import { Dataset, File } from "daos-ts/hdf5";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const HEADER = { dkey: Buffer.from("."), akey: Buffer.from("H5_OBJECT") };
const ATTRIBUTE = { dkey: Buffer.from("/x"), akey: Buffer.from("H5_ATTR") };
/** What version 1 wrote for the same dataset and attribute. */
const FIRST = { header: "010101010801026060", attribute: "01030000000474657874" };

/** A file with one dataset of shape [96, 96] and one attribute. */
async function written(): Promise<Container> {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const d = await file.createDataset("d", { shape: [96, 96], dtype: "float64" });
  await d.attrs.set("x", "text");
  return container;
}

/** Reads, or replaces, a value of the dataset's object behind the front end's back. */
function value(container: Container, key: typeof HEADER, replacement?: Uint8Array): string {
  using view = container.view();
  const oid = lookup({ view }, "a.h5/d")?.oid as bigint;
  if (replacement !== undefined) {
    container.update((tx) => tx.put({ oid, ...key, value: replacement, condition: "update" }));
  }
  return Buffer.from(view.getValue(oid, key.dkey, key.akey) ?? []).toString("hex");
}

describe("records", () => {
  test("are the bytes that docs/internals/hdf5-mapping.md shows", async () => {
    const container = await written();
    expect(value(container, HEADER)).toBe(
      "020103" +
        "14" +
        "11203f000800000000004000340b0034ff030000" +
        "0114" +
        "0202000160000000000000006000000000000000" +
        "08020100",
    );
    expect(value(container, ATTRIBUTE)).toBe(
      "0200" +
        "14" +
        "1901010010000000" +
        "100000000100000000000800" +
        "0402000000" +
        "10" +
        "04000000000000000000000000000000" +
        "0474657874",
    );
  });

  test("of version 1 are read, also beside those of version 2", async () => {
    const container = await written();
    value(container, HEADER, Buffer.from(FIRST.header, "hex"));
    using view = container.view();
    const oid = lookup({ view }, "a.h5/d")?.oid as bigint;
    container.update((tx) => {
      const old = { oid, dkey: Buffer.from("x"), akey: ATTRIBUTE.akey };
      tx.put({ ...old, value: Buffer.from(FIRST.attribute, "hex"), condition: "insert" });
      tx.punchAkey(oid, ATTRIBUTE.dkey, ATTRIBUTE.akey);
    });
    await using file = await File.open(container, "a.h5", "r+");
    const d = (await file.get("d")) as Dataset;
    expect([d.dtype, d.shape]).toEqual(["float64", [96, 96]]);
    expect([await d.attrs.get("x"), await d.attrs.keys()]).toEqual(["text", ["x"]]);
    await d.attrs.set("x", 1);
    expect([await d.attrs.get("x"), await d.attrs.keys()]).toEqual([1, ["x"]]);
  });

  test.each<[string, string, string]>([
    ["of another version", "DER_DF_INCOMPT", "030101010801026060"],
    ["that are cut off", "DER_DF_INVAL", "0101010108010260"],
    ["with bytes behind them", "DER_DF_INVAL", "01010101080102606000"],
    ["of another kind", "DER_DF_INVAL", "010701010801026060"],
    ["of an unknown type", "DER_DF_INVAL", "010101010301026060"],
    ["of an unknown dataspace", "DER_DF_INVAL", "010101010809026060"],
    ["with nothing in them", "DER_DF_INVAL", ""],
    ["without a datatype", "DER_DF_INVAL", "0201080401000000"],
    ["with an unknown message", "DER_DF_INVAL", "02017f00"],
  ])("%s are refused in headers: %s", async (_what, code, hex) => {
    const container = await written();
    value(container, HEADER, Buffer.from(hex, "hex"));
    await using file = await File.open(container, "a.h5");
    expect(await codeOf(() => file.get("d"))).toBe(code);
  });

  test.each<[string, string, string]>([
    ["of another version", "DER_DF_INCOMPT", "03030000000474657874"],
    ["that are cut off", "DER_DF_INVAL", "010300000004746578"],
    ["whose elements do not fit their type", "DER_DF_INVAL", `0101010801010204${"00".repeat(4)}`],
    ["that claim more than there is", "DER_DF_INVAL", "01010108010102ffffffffff7f"],
  ])("%s are refused in attributes: %s", async (_what, code, hex) => {
    const container = await written();
    value(container, ATTRIBUTE, Buffer.from(hex, "hex"));
    await using file = await File.open(container, "a.h5");
    const d = await file.get("d");
    expect(d).toBeInstanceOf(Dataset);
    expect(await codeOf(() => (d as Dataset).attrs.get("x"))).toBe(code);
  });
});
