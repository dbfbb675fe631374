/**
 * Pictures, colors and statistics of the Gray-Scott example.
 */

import { expect, test } from "@jest/globals";
import { decode } from "fast-png";
import { colorOf } from "../../dist/examples/gray-scott/color-map.js";
import { drawSlice } from "../../dist/examples/gray-scott/picture.js";
import { Statistics } from "../../dist/examples/gray-scott/statistics.js";

function luminanceOf(value: number): number {
  const pixel = new Uint8Array(3);
  colorOf(value, pixel, 0);
  return 0.2126 * pixel[0]! + 0.7152 * pixel[1]! + 0.0722 * pixel[2]!;
}

test("colorOf() gets brighter with the value, and clamps", () => {
  const luminances = Array.from({ length: 101 }, (_, i) => luminanceOf(i / 100));
  luminances.slice(1).forEach((luminance, i) => {
    expect(luminance).toBeGreaterThanOrEqual(luminances[i]!);
  });
  expect(luminanceOf(-1)).toBe(luminances[0]);
  expect(luminanceOf(2)).toBe(luminances[100]);
});

test("drawSlice() makes a picture of about 768 pixels, oriented as the array", () => {
  const [height, width] = [48, 96];
  const values = new Float64Array(height * width);
  values.fill(1, (height / 2) * width); // the lower half
  const image = decode(drawSlice({ height, width, values }, { Title: "test" }));
  expect(image).toMatchObject({ width: 768, height: 384, channels: 3, text: { Title: "test" } });
  const pixelAt = (x: number, y: number) => [...image.data.slice(3 * (y * 768 + x)).slice(0, 3)];
  expect(pixelAt(384, 96)).toEqual([0, 0, 4]);
  expect(pixelAt(384, 288)).toEqual([0xfc, 0xfd, 0xbf]);
});

test("drawSlice() draws a constant field", () => {
  const image = decode(
    drawSlice({ height: 4, width: 4, values: new Float64Array(16).fill(3) }, {}),
  );
  expect(image).toMatchObject({ width: 768, height: 768 });
});

test("Statistics agree with the definition, however the numbers are divided", () => {
  const values = Float64Array.from({ length: 1000 }, (_, i) => 1e6 + Math.sin(i));
  const statistics = new Statistics();
  for (const [start, end] of [
    [0, 1],
    [1, 1],
    [1, 700],
    [700, 1000],
  ]) {
    statistics.add(values.subarray(start, end));
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const summary = statistics.summary();
  expect(summary).toMatchObject({
    count: 1000,
    min: Math.min(...values),
    max: Math.max(...values),
  });
  expect(summary.mean).toBeCloseTo(mean, 8);
  expect(summary.std).toBeCloseTo(Math.sqrt(variance), 8);
});
