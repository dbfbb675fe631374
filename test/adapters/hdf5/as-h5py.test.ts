/**
 * What replaying h5py's tests and random datasets has found, one by one, without h5py.
 */

import { describe, expect, test } from "@jest/globals";
import { Empty, File, mask, SoftLink, slice } from "daos-ts/hdf5";
import { codeOf, connectAgain, temporaryContainer } from "../temporary-container.ts";

function create(): Promise<File> {
  return File.open(temporaryContainer().container, "a.h5", "w");
}

describe("as in h5py, there is refused", () => {
  test.each<[string, (file: File) => Promise<unknown>]>([
    ["text of any length with a zero byte", (file) => file.createDataset("d", { data: ["a\0b"] })],
    ["the same in an attribute", (file) => file.attrs.set("a", "a\0b")],
    [
      "fletcher32 for text of any length",
      (file) => file.createDataset("d", { shape: [2], dtype: "string", fletcher32: true }),
    ],
    [
      "a mask of a single element",
      async (file) => (await file.createDataset("d", { data: 1 })).read(mask([true], [])),
    ],
    [
      "a part of a null dataspace",
      async (file) =>
        (await file.createDataset("d", { data: new Empty("int8") })).read([slice(0, 0)]),
    ],
    [
      "as many values in another shape",
      async (file) => {
        const dataset = await file.createDataset("d", { shape: [3], dtype: "int8" });
        await dataset.write([[1], [2], [3]]);
      },
    ],
    [
      "changing an attribute without elements",
      async (file) => {
        await file.attrs.set("a", new Empty("int8"));
        await file.attrs.modify("a", 1);
      },
    ],
    ["a path that is no string", (file) => file.get(1 as never)],
    [
      "a time of filling that is none",
      (file) => file.createDataset("d", { shape: [1], dtype: "int8", fillTime: "late" as never }),
    ],
  ])("%s", async (_what, call) => {
    await using file = await create();
    expect(await codeOf(() => call(file))).toBe("DER_INVAL");
  });
});

test("has() says what keys() lists, also of a link that leads nowhere", async () => {
  await using file = await create();
  await file.link("nowhere", new SoftLink("/none"));
  expect([await file.has("nowhere"), await file.has("none"), await file.has("/")]).toEqual([
    true,
    false,
    true,
  ]);
  expect(await file.get("nowhere")).toBeUndefined();
});

test("flush() without changes moves on to the newest version, of an old one it does not", async () => {
  const { container, pool } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const epoch = await file.flush();
  await using reader = await File.open(connectAgain(pool, "ro"), "a.h5");
  await using old = await File.open(connectAgain(pool, "ro"), "a.h5", "r", { epoch });
  await file.createGroup("g");
  await file.flush();
  expect(await reader.keys()).toEqual([]);
  await reader.flush();
  expect(await old.flush()).toBe(epoch);
  expect([await reader.keys(), await old.keys()]).toEqual([["g"], []]);
});

test.each([
  // Just above the middle of two float32; as a float64, it is the middle, which goes to the even one.
  [2n ** 62n + 2n ** 38n + 1n, 2 ** 62 + 2 ** 39],
  [-(2n ** 62n) - 2n ** 38n - 1n, -(2 ** 62) - 2 ** 39],
  [2n ** 62n + 2n ** 38n, 2 ** 62],
  [2n ** 63n - 1n, 2 ** 63],
  [-(2n ** 63n), -(2 ** 63)],
  [2n ** 53n + 1n, 2 ** 53],
])("%p becomes the nearest float32", async (value, expected) => {
  await using file = await create();
  const dataset = await file.createDataset("d", { shape: [], dtype: "float32" });
  await dataset.write(BigInt64Array.of(value));
  expect([...(await dataset.read()).data]).toEqual([expected]);
});

test("requireDataset() takes one that has grown within the limits that are asked for", async () => {
  await using file = await create();
  const options = { shape: [2], maxShape: [null], dtype: "int8" } as const;
  const dataset = await file.createDataset("d", options);
  await dataset.resize([5]);
  expect((await file.requireDataset("d", options)).shape).toEqual([5]);
  const narrow = { shape: [2], dtype: "int8" } as const;
  expect(await codeOf(() => file.requireDataset("d", narrow))).toBe("DER_INVAL");
});
