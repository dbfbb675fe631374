/**
 * Arrow types: whether two are the same, and which dictionaries are in them.
 *
 * @module
 */

import {
  DataType,
  type Decimal,
  Dictionary,
  Field,
  FixedSizeList,
  LargeList,
  List,
  Map_,
  type RecordBatch,
  Schema,
  Struct,
  Type,
  Union,
} from "apache-arrow";

/** A stream of batches, whose schema is known before the first one. */
export interface BatchStream extends AsyncIterable<RecordBatch> {
  /** What its batches have. */
  readonly schema: Schema;
}

/** Batches with their schema, as one stream. */
export function batchStream(
  schema: Schema,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
): BatchStream {
  return {
    schema,
    async *[Symbol.asyncIterator]() {
      yield* batches;
    },
  };
}

/** The parts of a type that are types: those of nested ones, the values of a dictionary. */
export function childrenOf(type: DataType): readonly Field[] {
  return (type.children ?? []) as readonly Field[];
}

/**
 * Tells types apart. Those of two equal types are equal, whatever the numbers of their dictionaries; metadata and
 * whether nested fields are nullable do not count.
 */
export function typeSignature(type: DataType): string {
  if (DataType.isDictionary(type)) {
    return `Dictionary<${typeSignature(type.indices)}, ${typeSignature(type.dictionary)}>`;
  }
  const children = childrenOf(type);
  if (children.length > 0) {
    const parts = children.map(({ name, type: child }) => `${name}: ${typeSignature(child)}`);
    const head = DataType.isUnion(type) ? `${type.mode} ${type.typeIds.join()}` : ownSize(type);
    return `${Type[type.typeId]}[${head}]<${parts.join(", ")}>`;
  }
  return type.typeId === Type.Decimal ? `${type}/${(type as Decimal).bitWidth}` : String(type);
}

function ownSize(type: DataType): string {
  if (DataType.isFixedSizeList(type)) return String(type.listSize);
  return DataType.isMap(type) && type.keysSorted ? "sorted" : "";
}

/** Whether two types hold the same. */
export function isSameType(a: DataType, b: DataType): boolean {
  return a === b || typeSignature(a) === typeSignature(b);
}

/** A type with other children. */
function withChildren(type: DataType, children: Field[]): DataType {
  const [child] = children as [Field];
  if (DataType.isList(type)) return new List(child);
  if (type.typeId === Type.LargeList) return new LargeList(child);
  if (DataType.isFixedSizeList(type)) return new FixedSizeList(type.listSize, child);
  if (DataType.isMap(type)) {
    return new Map_(child as Field<Struct<{ key: DataType; value: DataType }>>, type.keysSorted);
  }
  if (DataType.isUnion(type)) return new Union(type.mode, [...type.typeIds], children);
  return new Struct(children);
}

/** Gives each dictionary of a type a number of its own. */
function numbered(type: DataType, next: () => number): DataType {
  if (DataType.isDictionary(type)) {
    const values = numbered(type.dictionary, next);
    return new Dictionary(values, type.indices, next(), type.isOrdered);
  }
  const children = childrenOf(type);
  return children.length === 0 ? type : withChildren(type, numberedFields(children, next));
}

function numberedFields(fields: readonly Field[], next: () => number): Field[] {
  return fields.map(
    ({ name, type, nullable, metadata }) =>
      new Field(name ?? "", numbered(type, next), nullable, metadata),
  );
}

/**
 * The same schema with dictionaries numbered from 0 in the order in which they are met, each column's its own:
 * programs that share one between columns need not be followed in that.
 */
export function numberDictionaries(schema: Schema): Schema {
  let last = -1;
  const fields = numberedFields(schema.fields, () => {
    last += 1;
    return last;
  });
  return new Schema(fields, schema.metadata);
}

/** Whether a type has offsets and bytes. */
export function hasText(typeId: Type): boolean {
  return (
    typeId === Type.Utf8 ||
    typeId === Type.LargeUtf8 ||
    typeId === Type.Binary ||
    typeId === Type.LargeBinary
  );
}
