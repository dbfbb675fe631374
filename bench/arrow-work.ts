/**
 * What ours and the peers of the suite `arrow` do alike.
 *
 * @module
 */

/** Bytes of a page of memory. */
export const PAGE_SIZE = 4096;

/** Refuses a result. */
export function fail(why: string): never {
  throw new Error(`the benchmark measured nothing: ${why}`);
}

/** Seconds that something takes. */
export async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Looks at one element of each page, so that memory that was only mapped is really there; returns the sum of them. */
export function touch(values: Float64Array): number {
  let sum = 0;
  const step = PAGE_SIZE / Float64Array.BYTES_PER_ELEMENT;
  for (let index = 0; index < values.length; index += step) sum += values[index] as number;
  return sum;
}
