/**
 * Property: a file view names the same file bytes as a plain list of its file type's bytes.
 *
 * Method: small vectors and subarrays, any displacement, any range of the stream, over several
 * repetitions of the file type.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { Datatype, FileView } from "daos-ts/mpi-io";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";

/** File offsets of the first bytes of a view's stream, from an explicit list for one repetition. */
function streamOffsets(
  { displacement, offsets, extent }: { displacement: number; offsets: number[]; extent: number },
  count: number,
): number[] {
  return Array.from({ length: count }, (_, index) => {
    const tile = Math.floor(index / offsets.length);
    return displacement + tile * extent + (offsets[index % offsets.length] as number);
  });
}

function offsetsOf(ranges: ReturnType<FileView["ranges"]>): number[] {
  return [...ranges].flatMap(({ pattern, from, to }) => {
    return Array.from({ length: to - from }, (_, index) => pattern.offsetOf(from + index));
  });
}

const vector = fc
  .record({
    count: fc.integer({ min: 1, max: 4 }),
    blocklength: fc.integer({ min: 1, max: 3 }),
    gap: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ count, blocklength, gap }) => {
    const stride = blocklength + gap;
    const offsets: number[] = [];
    for (let block = 0; block < count; block++) {
      for (let byte = 0; byte < blocklength; byte++) offsets.push(block * stride + byte);
    }
    const type = Datatype.vector(count, blocklength, stride, Datatype.BYTE);
    return { type, offsets, extent: (count - 1) * stride + blocklength };
  });

const subarray = fc
  .array(
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3), fc.integer({ min: 1, max: 4 }))
      .filter(([size, start, subsize]) => start + subsize <= size),
    { minLength: 1, maxLength: 3 },
  )
  .map((dimensions) => {
    const sizes = dimensions.map(([size]) => size);
    const starts = dimensions.map(([, start]) => start);
    const subsizes = dimensions.map(([, , subsize]) => subsize);
    const extent = sizes.reduce((product, size) => product * size, 1);
    const offsets: number[] = [];
    for (let offset = 0; offset < extent; offset++) {
      let rest = offset;
      let inside = true;
      for (let axis = sizes.length - 1; axis >= 0; axis--) {
        const index = rest % (sizes[axis] as number);
        rest = Math.floor(rest / (sizes[axis] as number));
        const start = starts[axis] as number;
        inside &&= index >= start && index < start + (subsizes[axis] as number);
      }
      if (inside) offsets.push(offset);
    }
    const type = Datatype.subarray(sizes, subsizes, starts, "C", Datatype.BYTE);
    return { type, offsets, extent };
  });

/** Unlike blocks, and in them what repeats: a tree that is no one pattern. */
const irregular = fc
  .array(fc.tuple(fc.oneof(vector, subarray), fc.nat(3)), { minLength: 2, maxLength: 4 })
  .chain((parts) => fc.tuple(fc.constant(parts), fc.integer({ min: 1, max: 3 })))
  .map(([parts, copies]) => {
    const offsets: number[] = [];
    const places: number[] = [];
    let end = 0;
    for (const [part, gap] of parts) {
      places.push(end + gap);
      offsets.push(...part.offsets.map((offset) => end + gap + offset));
      end += gap + part.extent;
    }
    const types = parts.map(([{ type }]) => type);
    const lengths = parts.map(() => 1);
    const one = Datatype.resized(Datatype.struct(lengths, places, types), 0, end);
    const type = Datatype.contiguous(copies, one);
    const all = Array.from({ length: copies }, (_, i) => offsets.map((offset) => i * end + offset));
    return { type, offsets: all.flat(), extent: copies * end };
  });

describe("FileView", () => {
  test("ranges() name the bytes of the view's stream", () => {
    fc.assert(
      fc.property(
        fc.oneof(vector, subarray, irregular),
        fc.nat(9),
        fc.nat(40),
        fc.integer({ min: 1, max: 40 }),
        ({ type, offsets, extent }, displacement, offset, size) => {
          const view = new FileView({ displacement, etype: Datatype.BYTE, filetype: type });
          const all = streamOffsets({ displacement, offsets, extent }, offset + size);
          expect(offsetsOf(view.ranges(offset, size))).toEqual(all.slice(offset));
        },
      ),
      fcOptions(),
    );
  });

  test("streamSize() counts the bytes of the stream before a file offset", () => {
    fc.assert(
      fc.property(
        fc.oneof(vector, subarray, irregular),
        fc.nat(9),
        fc.nat(100),
        ({ type, offsets, extent }, displacement, fileSize) => {
          const view = new FileView({ displacement, etype: Datatype.BYTE, filetype: type });
          const stream = streamOffsets({ displacement, offsets, extent }, 200);
          const before = stream.filter((offset) => offset < fileSize).length;
          expect(view.streamSize(fileSize)).toBe(before);
        },
      ),
      fcOptions(),
    );
  });

  test("a subarray of a billion blocks is one small pattern", () => {
    const sizes = [1000, 1000, 1000, 2];
    const block = Datatype.subarray(sizes, [1000, 1000, 1000, 1], [0, 0, 0, 0], "C", Datatype.BYTE);
    const view = new FileView({ displacement: 0, etype: Datatype.BYTE, filetype: block });
    const ranges = [...view.ranges(0, 1e9)];
    expect(ranges).toHaveLength(1);
    const [{ pattern }] = ranges as [(typeof ranges)[0]];
    expect(pattern.size).toBe(1e9);
    expect(pattern.levels.length).toBeLessThanOrEqual(2);
  });

  test.each([
    ["a negative displacement", { displacement: -1 }],
    ["an etype with gaps", { etype: Datatype.vector(2, 1, 2, Datatype.BYTE) }],
    ["a file type of partial etypes", { etype: Datatype.DOUBLE, filetype: Datatype.INT32 }],
    ["an empty file type", { filetype: Datatype.contiguous(0, Datatype.BYTE) }],
    ["overlapping blocks", { filetype: Datatype.vector(3, 4, 2, Datatype.BYTE) }],
  ])("refuses %s", (_name, part) => {
    const whole = { displacement: 0, etype: Datatype.BYTE, filetype: Datatype.BYTE, ...part };
    expect(() => new FileView(whole)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^MPI_ERR_(ARG|TYPE)$/) }),
    );
  });
});
