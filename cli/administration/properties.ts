/**
 * `get-prop` and `set-prop` of pools and containers.
 *
 * @module
 */

import { type Administered, DaosError, type PropertyValue } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { list, number, object, optional, text, type Value } from "../output/schema.js";
import { type AnyVerb, type Call, defineVerb } from "../verb.js";
import { exampleOf, type Noun, operandsOf, withHolder } from "./holder.js";

const propertySchema = object({
  name: text("Name, as DAOS has it"),
  value: optional(text("Value of a property that is a text")),
  number: optional(number("Value of a property that is a number")),
});
const propertiesSchema = object({ properties: list(propertySchema, "The properties") });
type Answer = Value<typeof propertiesSchema>;

function described([name, value]: [string, PropertyValue]): Value<typeof propertySchema> {
  return typeof value === "number" ? { name, number: value } : { name, value };
}

function chosen(holder: Administered, names: readonly string[]): Answer {
  const all = holder.getProperties();
  for (const name of names) {
    if (Object.hasOwn(all, name)) continue;
    const what = `Reading property "${name}"`;
    const remedy = `choose one of ${Object.keys(all).join(", ")}`;
    throw new DaosError("DER_INVAL", { what, why: "there is no such property", remedy }, { name });
  }
  const wanted = Object.entries(all).filter(([name]) => names.length === 0 || names.includes(name));
  return { properties: wanted.map(described) };
}

function print({ properties }: Answer, output: Output): void {
  output.facts(properties.map(({ name, value, number }) => [name, value ?? number]));
}

/** `get-prop` */
export function getProperty(program: string, noun: Noun): AnyVerb {
  return defineVerb({
    name: "get-prop",
    summary: `tell the properties of a ${noun}`,
    operands: [
      ...operandsOf(noun),
      {
        name: "name",
        kind: "text",
        isOptional: true,
        isRepeated: true,
        description: "names of properties; all by default",
      },
    ],
    examples: [
      exampleOf(program, noun, "get-prop"),
      exampleOf(program, noun, "get-prop", "label owner"),
    ],
    schema: propertiesSchema,
    run: (call: Call) => withHolder(noun, call, "ro", (holder) => chosen(holder, call.words)),
    print,
  });
}

/** Splits `name:value`. */
export function splitPair(word: string): [string, string] {
  const at = word.indexOf(":");
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  const what = `Reading "${word}"`;
  const text = { what, why: "it is not a name and a value", remedy: "write name:value" };
  throw new DaosError("DER_INVAL", text, { word });
}

function setProperties(holder: Administered, words: readonly string[]): Answer {
  const known = holder.getProperties();
  // DAOS separates properties by commas; a comma in a value is not followed by a name.
  const pairs = words.flatMap((word) => word.split(/,(?=[a-z_]+:)/)).map(splitPair);
  const given = pairs.map(([name, value]): [string, PropertyValue] => {
    const isNumber = typeof known[name] === "number" && /^[0-9]+$/.test(value);
    return [name, isNumber ? Number(value) : value];
  });
  holder.setProperties(Object.fromEntries(given));
  const names = given.map(([name]) => name);
  return chosen(holder, names);
}

/** `set-prop` */
export function setProperty(program: string, noun: Noun): AnyVerb {
  const example = noun === "pool" ? "space_rb:10 reclaim:time" : "status:healthy";
  return defineVerb({
    name: "set-prop",
    summary: `change properties of a ${noun}: all of them, or none`,
    operands: [
      ...operandsOf(noun),
      {
        name: "name:value",
        kind: "text",
        isRepeated: true,
        description: "properties and their new values",
      },
    ],
    examples: [exampleOf(program, noun, "set-prop", example)],
    schema: propertiesSchema,
    run: (call: Call) =>
      withHolder(noun, call, "rw", (holder) => setProperties(holder, call.words)),
    print,
  });
}
