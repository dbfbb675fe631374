/**
 * Pictures: a slice of a field as a PNG.
 *
 * The slice is enlarged by cubic interpolation of its values, not of its colors, and wraps around at
 * the edges as the box does.
 *
 * @module
 */

import { encode } from "fast-png";
import { colorOf } from "./color-map.js";

/** Side of a picture, in pixels; a little more or less, so that each cell has the same size. */
const SIDE_PIXELS = 768;

/** A plane of cells, `[height, width]`, row-major. */
export interface Slice {
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

/**
 * Draws a slice; its lowest value gets the darkest color, its highest the brightest.
 *
 * @param text Names and values to keep in the file, such as a title.
 * @returns The bytes of a PNG file.
 */
export function drawSlice(slice: Slice, text: Record<string, string>): Uint8Array {
  const scale = Math.max(1, Math.round(SIDE_PIXELS / Math.max(slice.width, slice.height)));
  const rows = enlargeRows(slice, scale);
  const { width: height, height: width, values } = transpose(enlargeRows(transpose(rows), scale));
  const image = { width: height, height: width, values };
  const [low, high] = rangeOf(slice.values);
  const data = new Uint8Array(3 * values.length);
  for (let i = 0; i < values.length; i += 1) {
    colorOf(((values[i] as number) - low) / (high - low || 1), data, 3 * i);
  }
  return encode({ width: image.width, height: image.height, data, channels: 3, depth: 8, text });
}

function rangeOf(values: Float64Array): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function transpose({ height, width, values }: Slice): Slice {
  const turned = new Float64Array(values.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) turned[x * height + y] = values[y * width + x] as number;
  }
  return { height: width, width: height, values: turned };
}

/** Makes each row `scale` times as long, with Catmull-Rom splines through the cells' centers. */
function enlargeRows({ height, width, values }: Slice, scale: number): Slice {
  const wide = new Float64Array(values.length * scale);
  for (let x = 0; x < width * scale; x += 1) {
    const place = (x + 0.5) / scale - 0.5;
    const left = Math.floor(place);
    const weights = catmullRom(place - left);
    for (let y = 0; y < height; y += 1) {
      let sum = 0;
      for (let tap = 0; tap < 4; tap += 1) {
        const from = (left + tap - 1 + width) % width;
        sum += (weights[tap] as number) * (values[y * width + from] as number);
      }
      wide[y * width * scale + x] = sum;
    }
  }
  return { height, width: width * scale, values: wide };
}

/** Weights of the four cells around a place, `t` of the way from the second to the third. */
function catmullRom(t: number): [number, number, number, number] {
  const [t2, t3] = [t * t, t * t * t];
  return [
    (-t3 + 2 * t2 - t) / 2,
    (3 * t3 - 5 * t2 + 2) / 2,
    (-3 * t3 + 4 * t2 + t) / 2,
    (t3 - t2) / 2,
  ];
}
