/**
 * Checkpoints of the Gray-Scott example in one process: format, checksum, restore, and the watcher that must notice
 * a torn version.
 */

import { expect, test } from "@jest/globals";
import { isDaosError, Pool } from "daos-ts";
import { Datatype, File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import { Checkpointer } from "../../dist/examples/gray-scott/checkpoint.js";
import {
  CHECKPOINT_PATH,
  checkpointSize,
  decodeHeader,
  encodeHeader,
  fieldOffset,
  HEADER_SIZE,
} from "../../dist/examples/gray-scott/checkpoint-format.js";
import { checksumOfBlock, checksumOfCells } from "../../dist/examples/gray-scott/checksum.js";
import { Grid, type Triple } from "../../dist/examples/gray-scott/grid.js";
import { fillInitialState } from "../../dist/examples/gray-scott/initial-state.js";
import { defectOf, readVersion } from "../../dist/examples/gray-scott/inspection.js";
import { createFields } from "../../dist/examples/gray-scott/kernel.js";
import { PARAMETERS } from "../../dist/examples/gray-scott/parameters.js";
import { Watcher } from "../../dist/examples/gray-scott/watcher.js";
import { temporaryDirectory } from "../support/temporary.ts";

const SHAPE: Triple = [6, 7, 8];

function makeContainer() {
  const path = `${temporaryDirectory()}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  const container = pool.createContainer("c", { retainCommits: 4 });
  return { pool, container, address: `daos://${path}/c/${CHECKPOINT_PATH}` };
}

function makeState(shape: Triple = SHAPE) {
  const grid = new Grid(new SoloCommunicator(), shape);
  const fields = createFields(grid);
  fillInitialState(grid, fields);
  return { grid, fields };
}

test("encodeHeader() and decodeHeader() agree", () => {
  const header = {
    step: 123_456,
    shape: [96, 97, 98] as const,
    parameters: PARAMETERS,
    checksums: [0xffff_ffff, 1] as const,
  };
  const bytes = encodeHeader(header);
  expect(bytes.length).toBe(HEADER_SIZE);
  expect(decodeHeader(bytes)).toEqual(header);
});

test("decodeHeader() refuses other bytes", () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(HEADER_SIZE)]) {
    expect(codeOf(() => decodeHeader(bytes))).toBe("DER_DF_INVAL");
  }
});

test("checksums add up over parts, and notice swapped values", () => {
  const values = Float64Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const whole = checksumOfCells(values, 0);
  const parts = checksumOfCells(values.subarray(0, 5), 0) + checksumOfCells(values.subarray(5), 5);
  expect(parts >>> 0).toBe(whole);
  const swapped = values.slice();
  [swapped[3], swapped[7]] = [values[7]!, values[3]!];
  expect(checksumOfCells(swapped, 0)).not.toBe(whole);
});

test("checksumOfBlock() of the only block is that of all cells", () => {
  const { grid, fields } = makeState();
  const packed = new Float64Array(grid.cellCount);
  grid.pack(fields.v, packed);
  expect(checksumOfBlock(grid, packed)).toBe(checksumOfCells(packed, 0));
});

test("write() commits a whole checkpoint, and restore() gives it back", () => {
  const { pool, address } = makeContainer();
  const { grid, fields } = makeState();
  const checkpointer = new Checkpointer(grid, PARAMETERS, address);
  const written = checkpointer.write(7, fields);
  expect(written).toMatchObject({ step: 7, bytes: checkpointSize(SHAPE) });

  const version = readVersion(address, written.epoch);
  expect(version?.header).toMatchObject({ step: 7, shape: [...SHAPE], parameters: PARAMETERS });
  expect(version && defectOf(version)).toBeUndefined();

  const restored = createFields(grid);
  expect(checkpointer.restore(restored)).toBe(7);
  const [cells, expected] = [new Float64Array(grid.cellCount), new Float64Array(grid.cellCount)];
  for (const name of ["u", "v"] as const) {
    grid.pack(restored[name], cells);
    grid.pack(fields[name], expected);
    expect(cells).toEqual(expected);
  }
  checkpointer.close();
  pool.close();
});

test("writePart() shows nothing to others, and an earlier version stays readable", () => {
  const { pool, address } = makeContainer();
  const { grid, fields } = makeState();
  const checkpointer = new Checkpointer(grid, PARAMETERS, address);
  const first = checkpointer.write(1, fields);
  fields.u.fill(0.5);
  const second = checkpointer.write(2, fields);
  fields.u.fill(0.25);
  expect(checkpointer.writePart(3, fields)).toBeGreaterThan(grid.cellCount * 8);
  expect(readVersion(address)?.header.step).toBe(2);
  expect(readVersion(address, first.epoch)?.header.step).toBe(1);
  expect(readVersion(address)?.epoch).toBe(second.epoch);
  pool.close();
});

test("restore() refuses an empty file, and a box of another shape", () => {
  const { pool, address } = makeContainer();
  const { grid, fields } = makeState();
  const checkpointer = new Checkpointer(grid, PARAMETERS, address);
  expect(codeOf(() => checkpointer.restore(fields))).toBe("DER_NONEXIST");
  checkpointer.write(1, fields);
  const other = makeState([6, 7, 9]);
  const reader = new Checkpointer(other.grid, PARAMETERS, address);
  expect(codeOf(() => reader.restore(other.fields))).toBe("DER_MISMATCH");
  pool.close();
});

test("a watcher sees whole checkpoints as such", () => {
  const { pool, container, address } = makeContainer();
  const watcher = new Watcher(container, address);
  watcher.look();
  const { grid, fields } = makeState();
  const checkpointer = new Checkpointer(grid, PARAMETERS, address);
  watcher.look();
  for (const step of [1, 2, 3]) {
    checkpointer.write(step, fields);
    watcher.look();
  }
  watcher.stop();
  expect(watcher.defects).toEqual([]);
  expect(watcher.findings.map(({ step }) => step)).toEqual([1, 2, 3]);
  pool.close();
});

test("a watcher notices a torn checkpoint", () => {
  const { pool, container, address } = makeContainer();
  const { grid, fields } = makeState();
  const checkpointer = new Checkpointer(grid, PARAMETERS, address);
  checkpointer.write(1, fields);
  checkpointer.close();

  const file = File.open(new SoloCommunicator(), address, Mode.RDWR);
  file.setView(fieldOffset("v", SHAPE), Datatype.DOUBLE, Datatype.DOUBLE);
  file.writeAt(5, Float64Array.of(0.125));
  file.close();

  const watcher = new Watcher(container, address);
  watcher.stop();
  expect(watcher.defects.length).toBeGreaterThan(0);
  expect(watcher.findings.map(({ step }) => step)).toEqual([1]);
  pool.close();
});

/** The code of what is thrown; undefined if nothing is. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isDaosError(error) ? error.code : String(error);
  }
  return undefined;
}
