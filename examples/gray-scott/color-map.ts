/**
 * A perceptually uniform color map: equal steps of the value look like equal steps of color.
 *
 * Magma, by N. Smith and S. van der Walt for matplotlib (CC0), at nine points.
 *
 * @module
 */

const MAGMA = [
  0x000004, 0x1d1147, 0x51127c, 0x822681, 0xb63679, 0xe65164, 0xfb8861, 0xfec287, 0xfcfdbf,
];

/**
 * Writes the color of a value.
 *
 * @param value From 0 to 1; values outside get the color of the nearer end.
 * @param pixels Receives red, green and blue at `at`.
 */
export function colorOf(value: number, pixels: Uint8Array, at: number): void {
  const place = Math.min(1, Math.max(0, value)) * (MAGMA.length - 1);
  const index = Math.min(MAGMA.length - 2, Math.floor(place));
  const part = place - index;
  const [low, high] = [MAGMA[index] as number, MAGMA[index + 1] as number];
  for (let channel = 0; channel < 3; channel += 1) {
    const shift = 16 - 8 * channel;
    const from = (low >> shift) & 0xff;
    const to = (high >> shift) & 0xff;
    pixels[at + channel] = Math.round(from + part * (to - from));
  }
}
