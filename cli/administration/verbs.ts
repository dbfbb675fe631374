/**
 * The verbs of administration that pools and containers share.
 *
 * @module
 */

import type { AnyVerb } from "../verb.js";
import { deleteAcl, getAcl, overwriteAcl, setOwner, updateAcl } from "./acl.js";
import { deleteAttributes, getAttributes, listAttributes, setAttributes } from "./attributes.js";
import type { Noun } from "./holder.js";
import { getProperty, setProperty } from "./properties.js";

/** Properties, attributes, access control list and owner of a pool or container. */
export function administrationVerbs(program: string, noun: Noun): AnyVerb[] {
  return [
    ...[getProperty, setProperty],
    ...[listAttributes, getAttributes, setAttributes, deleteAttributes],
    ...[getAcl, overwriteAcl, updateAcl, deleteAcl, setOwner],
  ].map((make) => make(program, noun));
}
