/**
 * What a verb answers, said once: a JSON schema for programs and the TypeScript type for the verb.
 *
 *     const schema = object({ label: text("Name for people"), size: integer("Bytes") });
 *     type Answer = Value<typeof schema>; // { label: string; size: number }
 *
 * Every property is required unless it is {@link optional}, and no others are allowed, so that a
 * test that validates an answer finds each property that somebody added or forgot. Epochs and object
 * ids are text: JSON numbers lose digits beyond 2^53.
 *
 * @module
 */

/** A JSON schema (2020-12) whose values have type `T`. */
export interface Schema<T = unknown> {
  /** The schema itself. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Whether the property may be missing. */
  readonly isOptional?: boolean;
  /** Only for the compiler. */
  readonly type?: T;
}

/** The type of a schema's values. */
export type Value<S> = S extends Schema<infer T> ? T : never;

/** A property that may be missing. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly isOptional: true;
}

type Properties = Readonly<Record<string, Schema>>;
type ObjectValue<P extends Properties> = {
  readonly [K in keyof P as P[K] extends OptionalSchema<unknown> ? never : K]: Value<P[K]>;
} & {
  readonly [K in keyof P as P[K] extends OptionalSchema<unknown> ? K : never]?:
    | Value<P[K]>
    | undefined;
};

/** Any value. */
export function anything<T = unknown>(description: string): Schema<T> {
  return { json: { description } };
}

/** A text. */
export function text(description: string): Schema<string> {
  return { json: { type: "string", description } };
}

/** One of several texts. */
export function choice<const T extends readonly string[]>(
  values: T,
  description: string,
): Schema<T[number]> {
  return { json: { enum: values, description } };
}

/** A whole number, not negative. */
export function integer(description: string): Schema<number> {
  return { json: { type: "integer", minimum: 0, description } };
}

/** A number. */
export function number(description: string): Schema<number> {
  return { json: { type: "number", description } };
}

/** Yes or no. */
export function flag(description: string): Schema<boolean> {
  return { json: { type: "boolean", description } };
}

/** A decimal number of up to 64 bits, as text. */
export function epoch(description: string): Schema<string> {
  return { json: { type: "string", pattern: "^[0-9]+$", description } };
}

/** A moment in UTC, as ISO 8601. */
export function time(description: string): Schema<string> {
  return { json: { type: "string", pattern: "^\\d{4,6}-\\d\\d-\\d\\dT[0-9:.]+Z$", description } };
}

/** An object id: its halves in hexadecimal, with a point between. */
export function oid(description: string): Schema<string> {
  return { json: { type: "string", pattern: "^[0-9a-f]+\\.[0-9a-f]+$", description } };
}

/** A list. */
export function list<T>(items: Schema<T>, description: string): Schema<readonly T[]> {
  return { json: { type: "array", items: items.json, description } };
}

/** Names with values of one kind. */
export function record<T>(
  values: Schema<T>,
  description: string,
): Schema<Readonly<Record<string, T>>> {
  return { json: { type: "object", additionalProperties: values.json, description } };
}

/** A property that may be missing. */
export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return { ...schema, isOptional: true };
}

/** An object with these properties and no others. */
export function object<P extends Properties>(
  properties: P,
  description?: string,
): Schema<ObjectValue<P>> {
  const names = Object.entries(properties);
  return {
    json: {
      type: "object",
      properties: Object.fromEntries(names.map(([name, { json }]) => [name, json])),
      required: names.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
      additionalProperties: false,
      ...(description === undefined ? {} : { description }),
    },
  };
}
