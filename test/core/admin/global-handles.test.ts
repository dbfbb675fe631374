/**
 * Handles that one process shares with others of the machine.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const { decodeGlobalHandle, encodeGlobalHandle } = await import(
  join(root, "dist", "core", "pool", "global-handle-format.js")
);
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const newPool = (options = {}) =>
  Pool.create({ path: `${temporaryDirectory()}/pool`, durability: "process", ...options });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const bob = { user: "bob", groups: ["lab"] };

async function toldBy(pool: Pool, container: { toGlobal(): Uint8Array }) {
  const other = new Program("open-shared", [base64(pool.toGlobal()), base64(container.toGlobal())]);
  await other.printed(1);
  const told = JSON.parse(other.lines[0] as string);
  await other.kill();
  return told;
}

test("P7: another process gets the mode, the user and the rights of the handle", async () => {
  using pool = newPool({ acl: "A::OWNER@:rw\nA::bob@:rw" });
  pool.createContainer("c").close();
  using asBob = Pool.connect(pool.path, { identity: bob });
  using container = asBob.openContainer("c");
  // Rights are those of the handle, whatever the list says by now.
  pool.deleteAclEntry("bob@");
  expect(await toldBy(asBob, container)).toEqual({
    path: pool.path,
    readOnly: [false, false],
    label: "c",
    openHandles: 3,
    write: "none",
    attributes: "none",
    acl: "DER_NO_PERM",
    create: "none",
  });
  expect(pool.listContainers()).toEqual(["c", "made"]);
  using readOnly = Pool.connect(pool.path, { mode: "ro" });
  using reader = readOnly.openContainer("c");
  expect(await toldBy(readOnly, reader)).toMatchObject({
    readOnly: [true, true],
    write: "DER_NO_PERM",
    create: "DER_NO_PERM",
  });
});

test("P7: handles of another machine, pool or kind, damaged and exclusive ones are refused", () => {
  using pool = newPool();
  using other = newPool();
  using container = pool.createContainer("c");
  const bytes = pool.toGlobal();
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] as number) ^ 0x10;
    expect(() => Pool.fromGlobal(damaged)).toThrow(code("DER_INVAL"));
    expect(() => Pool.fromGlobal(bytes.slice(0, at))).toThrow(code("DER_INVAL"));
  }
  const handle = decodeGlobalHandle("Reading", bytes, "pool");
  for (const machine of [
    { ...handle.machine, host: "elsewhere" },
    { ...handle.machine, bootId: "before" },
  ]) {
    const foreign = encodeGlobalHandle({ ...handle, machine });
    expect(() => Pool.fromGlobal(foreign)).toThrow(code("DER_NOSYS"));
  }
  expect(() => Pool.fromGlobal(container.toGlobal())).toThrow(code("DER_INVAL"));
  expect(() => other.containerFromGlobal(container.toGlobal())).toThrow(code("DER_MISMATCH"));
  expect(() => Pool.fromGlobal(encodeGlobalHandle({ ...handle, path: other.path }))).toThrow(
    code("DER_MISMATCH"),
  );
  expect(other.query().openHandles).toBe(1);
  const shared = container.toGlobal();
  container.close();
  expect(() => container.toGlobal()).toThrow(code("DER_NO_HDL"));
  using alone = pool.openContainer("c", { mode: "ex" });
  expect(() => alone.toGlobal()).toThrow(code("DER_BUSY"));
  expect(() => pool.containerFromGlobal(shared)).toThrow(code("DER_BUSY"));
  alone.close();
  pool.destroyContainer("c");
  expect(() => pool.containerFromGlobal(shared)).toThrow(code("DER_NONEXIST"));
});
