/**
 * Batches of random types with random values: every type that apache-arrow can build, nested in each other.
 */

import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMicrosecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import fc from "fast-check";

/** A type, and values of it. */
interface Kind {
  readonly type: DataType;
  readonly value: fc.Arbitrary<unknown>;
}

/** Batches of one schema. */
export interface Batches {
  readonly schema: Schema;
  readonly batches: readonly RecordBatch[];
}

const long = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const text = fc.oneof(fc.string({ maxLength: 6 }), fc.constant("longer than twelve bytes: ä"));
/** Positive decimals that leave the upper quarter of their words empty, so that they keep to their precision. */
const words = (count: number) => {
  const used = (count * 3) / 4;
  return fc.uint32Array({ minLength: used, maxLength: used }).map((own) => {
    return Uint32Array.from({ length: count }, (_, index) => own[index] ?? 0);
  });
};
const bytes = (size: number, from = size) => fc.uint8Array({ minLength: from, maxLength: size });
const int = (min: number, max: number) => fc.integer({ min, max });
const day = int(-10_000, 10_000).map((days) => new Date(days * 86_400_000));
const float = fc.double({ noNaN: true });

const FLAT: readonly (() => Kind)[] = [
  () => ({ type: new Null(), value: fc.constant(null) }),
  () => ({ type: new Bool(), value: fc.boolean() }),
  () => ({ type: new Int8(), value: int(-128, 127) }),
  () => ({ type: new Int16(), value: int(-32_768, 32_767) }),
  () => ({ type: new Int32(), value: int(-(2 ** 31), 2 ** 31 - 1) }),
  () => ({ type: new Int64(), value: fc.bigInt(long) }),
  () => ({ type: new Uint8(), value: int(0, 255) }),
  () => ({ type: new Uint16(), value: int(0, 65_535) }),
  () => ({ type: new Uint32(), value: int(0, 2 ** 32 - 1) }),
  () => ({ type: new Uint64(), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  () => ({ type: new Float16(), value: int(-100, 100) }),
  () => ({ type: new Float32(), value: float.map(Math.fround) }),
  () => ({ type: new Float64(), value: float }),
  () => ({ type: new Utf8(), value: text }),
  () => ({ type: new LargeUtf8(), value: text }),
  () => ({ type: new Utf8View(), value: text }),
  () => ({ type: new Binary(), value: bytes(4, 0) }),
  () => ({ type: new LargeBinary(), value: bytes(4, 0) }),
  () => ({ type: new FixedSizeBinary(3), value: bytes(3) }),
  () => ({ type: new Decimal(2, 30, 128), value: words(4) }),
  () => ({ type: new Decimal(2, 60, 256), value: words(8) }),
  () => ({ type: new DateDay(), value: day }),
  () => ({ type: new DateMillisecond(), value: day }),
  () => ({ type: new TimeMillisecond(), value: int(0, 86_399_999) }),
  () => ({ type: new TimeMicrosecond(), value: fc.bigInt({ min: 0n, max: 86_399_999_999n }) }),
  () => ({ type: new TimestampSecond("UTC"), value: int(-1e6, 1e6).map((s) => s * 1000) }),
  () => ({ type: new TimestampNanosecond(), value: int(-1e6, 1e6) }),
  () => ({ type: new DurationMicrosecond(), value: fc.bigInt(long) }),
  () => ({ type: new IntervalYearMonth(), value: fc.constant(null) }),
  () => ({ type: new IntervalDayTime(), value: fc.int32Array({ minLength: 2, maxLength: 2 }) }),
  () => ({
    type: new IntervalMonthDayNano(),
    value: fc.int32Array({ minLength: 4, maxLength: 4 }),
  }),
];

const orNull = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: null, freq: 4 });

/** Types that hold others. */
function nestedIn({ type, value }: Kind, nest: number): Kind {
  const item = new Field("item", type, true);
  const list = fc.array(orNull(value), { maxLength: 3 });
  switch (nest) {
    case 0:
      return { type: new List(item), value: list };
    case 1: {
      const pair = fc.array(orNull(value), { minLength: 2, maxLength: 2 });
      return { type: new FixedSizeList(2, item), value: pair };
    }
    case 2: {
      const fields = [new Field("x", type, true), new Field("y", new Utf8(), true)];
      return { type: new Struct(fields), value: fc.record({ x: orNull(value), y: orNull(text) }) };
    }
    default: {
      const fields = [new Field("key", new Utf8(), false), new Field("value", type, true)];
      const entries = new Field("entries", new Struct(fields) as never, false);
      const map = fc
        .uniqueArray(fc.tuple(text, orNull(value)), { selector: ([key]) => key, maxLength: 3 })
        .map((pairs) => new Map(pairs));
      return { type: new Map_(entries as never), value: map };
    }
  }
}

const flat = fc.constantFrom(...FLAT).map((make) => make());
const dictionary = fc
  .constantFrom(new Int8(), new Int32(), new Uint16())
  .map((indices) => ({ type: new Dictionary(new Utf8(), indices), value: text as never }));
/** Builders of apache-arrow fail for some types below others: those that work are nested. */
const inner = fc
  .constantFrom(...FLAT.filter((make) => /^(Int|Float|Utf8$|Bool|Date)/.test(String(make().type))))
  .map((make) => make());
const once = fc.tuple(inner, fc.nat(3)).map(([kind, nest]) => nestedIn(kind, nest));
const twice = fc.tuple(once, fc.nat(2)).map(([kind, nest]) => nestedIn(kind, nest));
const built = fc.oneof({ weight: 5, arbitrary: flat }, dictionary, once, twice);

/** A column of unions: built from its parts, as apache-arrow has no simple way. */
function unionColumn(rows: readonly (number | string)[], isDense: boolean): Vector {
  const fields = [new Field("n", new Int32(), true), new Field("t", new Utf8(), true)];
  const type = isDense ? new DenseUnion([3, 5], fields) : new SparseUnion([3, 5], fields);
  const isText = rows.map((value) => typeof value === "string");
  const of = (wanted: boolean, other: unknown) =>
    isDense
      ? rows.filter((_, row) => isText[row] === wanted)
      : rows.map((value, row) => (isText[row] === wanted ? value : other));
  const counts = [0, 0];
  const offsets = isText.map((one) => {
    const child = Number(one);
    counts[child] = (counts[child] as number) + 1;
    return (counts[child] as number) - 1;
  });
  const children = [
    vectorFromArray(of(false, 0) as number[], new Int32()).data[0],
    vectorFromArray(of(true, "") as string[], new Utf8()).data[0],
  ];
  const typeIds = Int8Array.from(isText, (one) => (one ? 5 : 3));
  const valueOffsets = isDense ? Int32Array.from(offsets) : undefined;
  const length = rows.length;
  return new Vector([makeData({ type, length, typeIds, valueOffsets, children } as never)]);
}

type ColumnMaker = (rows: number) => fc.Arbitrary<Vector>;

const column: fc.Arbitrary<ColumnMaker> = fc.oneof(
  {
    weight: 6,
    arbitrary: built.map(({ type, value }) => (rows: number) => {
      const values = fc.array(orNull(value), { minLength: rows, maxLength: rows });
      return values.map((given) => vectorFromArray(given as never, type) as Vector);
    }),
  },
  fc.boolean().map((isDense) => (rows: number) => {
    const value = fc.oneof(int(-9, 9), text);
    const values = fc.array(value, { minLength: rows, maxLength: rows });
    return values.map((given) => unionColumn(given, isDense));
  }),
);

/** A batch of the first chunks of vectors. */
export function batchOf(schema: Schema, columns: readonly Vector[], rows: number): RecordBatch {
  const children = columns.map(
    (vector) => vector.data[0] ?? makeData({ type: vector.type, length: 0 } as never),
  );
  const type = new Struct(schema.fields);
  return new RecordBatch(
    schema,
    makeData({ type, length: rows, nullCount: 0, children } as never) as never,
  );
}

/** One to three batches of one to three columns. */
export function arrowBatches(): fc.Arbitrary<Batches> {
  return fc
    .record({
      makers: fc.array(column, { minLength: 1, maxLength: 3 }),
      sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 }),
    })
    .chain(({ makers, sizes }) => {
      const batches = sizes.map((rows) => fc.tuple(...makers.map((make) => make(rows))));
      return fc.tuple(...batches).map((columns) => {
        const fields = (columns[0] as Vector[]).map(
          ({ type }, index) => new Field(`c${index}`, type, true, new Map([["unit", "m"]])),
        );
        const schema = new Schema(fields, new Map([["made", "by chance"]]));
        const made = columns.map((own, index) =>
          batchOf(schema, own as Vector[], sizes[index] as number),
        );
        return { schema, batches: made };
      });
    });
}

/** Values as text, so that those of any type compare. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) => {
      if (typeof part === "bigint") return `${part}n`;
      if (typeof part === "number" && !Number.isFinite(part)) return String(part);
      return Object.is(part, -0) ? "-0" : part;
    }) ?? "null",
  );
}
