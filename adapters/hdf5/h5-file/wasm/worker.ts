/**
 * The thread in which libhdf5 runs, as WebAssembly: it may abort without harm to the process.
 *
 * Elements are read by libhdf5's own call into its memory, and copied from there: what h5wasm makes of them
 * fails for several types.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import type { ReadAnswer, ReadRequest } from "./messages.js";

/** The calls of libhdf5 that are used. */
interface Library {
  readonly HEAPU8: Uint8Array;
  readonly H5F_ACC_RDONLY: number;
  readonly H5F_LIBVER_EARLIEST: number;
  readonly H5F_LIBVER_LATEST: number;
  open(path: string, mode: number, track: boolean, low: number, high: number): bigint;
  get_dataset_data(
    file: bigint,
    path: string,
    count: bigint[] | null,
    offset: bigint[] | null,
    strides: bigint[] | null,
    target: bigint,
  ): number;
  _malloc(size: number): number;
  /** Throws the library's messages in place of printing them. */
  activate_throwing_error_handler(): number;
  _free(address: number): void;
}

const { default: h5wasm } = (await import("h5wasm/node" as string)) as {
  default: { ready: Promise<Library> };
};
const library = await h5wasm.ready;
library.activate_throwing_error_handler();
const { H5F_ACC_RDONLY, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST } = library;
const file = library.open(
  String(workerData),
  H5F_ACC_RDONLY,
  false,
  H5F_LIBVER_EARLIEST,
  H5F_LIBVER_LATEST,
);

function read({ path, start, shape, size }: ReadRequest): Uint8Array<ArrayBuffer> {
  if (file < 0n) throw new Error("libhdf5 cannot open the file");
  const isScalar = shape.length === 0;
  const target = library._malloc(size);
  if (target === 0) throw new Error(`libhdf5 has no memory for ${size} bytes`);
  try {
    const status = library.get_dataset_data(
      file,
      path,
      isScalar ? null : shape.map(BigInt),
      isScalar ? null : start.map(BigInt),
      isScalar ? null : shape.map(() => 1n),
      BigInt(target),
    );
    if (status < 0) throw new Error("libhdf5 cannot read it");
    // The memory may have moved meanwhile.
    return library.HEAPU8.slice(target, target + size) as Uint8Array<ArrayBuffer>;
  } finally {
    library._free(target);
  }
}

parentPort?.on("message", (request: ReadRequest) => {
  const { number } = request;
  try {
    const answer: ReadAnswer = { number, bytes: read(request) };
    parentPort?.postMessage(answer, [answer.bytes.buffer]);
  } catch (error) {
    const answer: ReadAnswer = { number, why: String((error as Error).message ?? error) };
    parentPort?.postMessage(answer);
  }
});
