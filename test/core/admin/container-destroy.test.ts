/**
 * Destroying containers: killed between any two of its transactions, and while another process has it open.
 */

import { expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const SIZE = 100_000;

/** A pool with containers `c` and `kept`, both with arrays, keys, snapshots and attributes. */
function filledPool(): string {
  using pool = Pool.create({ path: `${temporaryDirectory()}/pool`, durability: "process" });
  for (const label of ["c", "kept"]) {
    using container = pool.createContainer(label);
    container.setAttributes({ a: "1" });
    const range = wholeOf(Pattern.contiguous(0, SIZE));
    for (let n = 1n; n <= 3n; n++) {
      container.update((tx) => {
        tx.write(n, range, new Uint8Array(SIZE).fill(7), 0n);
        const key = Buffer.from(`${n}`);
        tx.put({ oid: 50n, dkey: key, akey: key, value: key, condition: "none" });
      });
    }
    container.createSnapshot("s");
  }
  return pool.path;
}

test("a destruction that is killed before any of its transactions is done or not, and ends with recover()", async () => {
  let killed = 0;
  for (let at = 1; ; at++) {
    const path = filledPool();
    const destroyer = new Program("destroy-container", [path, `${at}`]);
    await destroyer.ended();
    const isDone = destroyer.lines[0] === "done";
    if (!isDone) killed += 1;
    expect(destroyer.errors).toBe("");
    using pool = Pool.connect(path);
    // The first transaction decides.
    expect(pool.listContainers()).toEqual(at === 1 ? ["c", "kept"] : ["kept"]);
    pool.recover();
    expect(pool.query().nvme.live).toBe(at === 1 ? 6 * SIZE : 3 * SIZE);
    expect(pool.scrub()).toMatchObject({ damageCount: 0, indexDamages: [] });
    expect(
      pool
        .openContainer("kept")
        .view()
        .readBytes(3n, SIZE - 1, SIZE)[0],
    ).toBe(7);
    const again = pool.createContainer(at === 1 ? "new" : "c");
    expect(again.commits()).toEqual([]);
    expect(again.listSnapshots()).toEqual([]);
    expect(again.view().listObjects().keys).toEqual([]);
    if (isDone) break;
  }
  expect(killed).toBeGreaterThan(5);
});

test("C1: another process that has it open keeps what it reads, until it ends", async () => {
  const path = filledPool();
  const holder = new Program("hold-view", [path, "3"]);
  await holder.printed(1);
  using pool = Pool.connect(path);
  expect(() => pool.destroyContainer("c")).toThrow(code("DER_BUSY"));
  const destroyer = new Program("destroy-container", [path, "0"]);
  await destroyer.printed(1);
  expect(destroyer.lines).toEqual(["DER_BUSY"]);
  pool.destroyContainer("c", { force: true });
  expect(pool.listContainers()).toEqual(["kept"]);
  pool.recover();
  expect(pool.query().nvme.live).toBe(6 * SIZE);
  holder.send("read");
  await holder.printed(2);
  expect(holder.lines[1]).toBe("7");
  await holder.kill();
  pool.recover();
  expect(pool.query().nvme.live).toBe(3 * SIZE);
});
