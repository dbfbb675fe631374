/**
 * Copies of objects, within a file and between files.
 *
 * @module
 */

import { notFound } from "../../dfs/index.js";
import { ObjectCopy } from "../import/copy-objects.js";
import type { StoredGroup } from "../storage/stored-group.js";
import type { StoredObject } from "../storage/stored-object.js";
import { sessionSource, sourceAt } from "../store-source.js";

/** How objects are copied. */
export interface CopyGroupOptions {
  /** Name of the copy in the target; that of the source by default. */
  readonly name?: string;
  /** Whether groups below the first one are left empty. */
  readonly shallow?: boolean;
  /** Whether what soft links lead to is copied in their place. */
  readonly expandSoft?: boolean;
  /** Whether what external links lead to is copied in their place. */
  readonly expandExternal?: boolean;
  /** Whether attributes are left out. */
  readonly withoutAttrs?: boolean;
}

/** Copies an object of the store into a group, under a name that is free. */
export async function copyObject(
  { object, isGroup }: { readonly object: StoredObject; readonly isGroup: boolean },
  parent: StoredGroup,
  name: string,
  options: CopyGroupOptions,
): Promise<void> {
  const { session, oid, name: from } = object;
  const source = sourceAt({ session, oid, isGroup, name: from });
  if (source === undefined) throw notFound(from, "Copying");
  const { shallow, expandSoft, expandExternal, withoutAttrs } = options;
  const copy = new ObjectCopy(sessionSource(session), {
    isShallow: shallow === true,
    expandSoft: expandSoft === true,
    expandExternal: expandExternal === true,
    withoutAttributes: withoutAttrs === true,
    isSameFile: session === parent.session,
  });
  await copy.copyObject(source, parent, name);
}
