/**
 * The containers of a pool: how they are described when they are made, found, and destroyed.
 *
 * @module
 */

import { formatAcl, toAcl } from "../access/acl-format.js";
import { withAt } from "../access/identity.js";
import { DaosError } from "../errors.js";
import { RETAIN_COMMITS_DEFAULT } from "../limits.js";
import type { ContainerRecord } from "../vos/containers.js";
import type { StoredProperty } from "../vos/metadata.js";
import { checkRetention } from "../vos/retention.js";
import type { Target } from "../vos/target.js";
import { checkLabel, UUID_PATTERN } from "./labels.js";
import type { ContainerCreateOptions } from "./pool-options.js";
import { CONTAINER_PROPERTIES, checkProperties } from "./properties.js";
import { formatUuid } from "./uuid.js";

/** A container that is to be made. */
interface NewContainer {
  readonly label: string;
  /** Who makes it, and owns it then. */
  readonly owner: string;
  readonly options: ContainerCreateOptions;
}

/** What is stored of a new container, but for its UUID; checked. */
export function newRecord(
  what: string,
  { label, owner, options }: NewContainer,
): {
  label: string;
  retainCommits: number;
  retainMs: number;
  properties: Map<string, StoredProperty>;
} {
  checkLabel(label, what);
  const { retainCommits = RETAIN_COMMITS_DEFAULT } = options;
  const { commits = retainCommits, seconds = 0 } = options.retain ?? {};
  checkRetention(what, { commits, seconds });
  const properties = checkProperties(what, CONTAINER_PROPERTIES, options.properties ?? {}, true);
  properties.set("owner", withAt(owner));
  if (options.acl !== undefined) properties.set("acl", formatAcl(toAcl(options.acl)));
  return { label, retainCommits: commits, retainMs: Math.round(seconds * 1000), properties };
}

/**
 * The container of a label or UUID.
 *
 * @throws {@link DaosError} `DER_NONEXIST`.
 */
export function findRecord(
  target: Target,
  name: string,
  { what, path }: { readonly what: string; readonly path: string },
): ContainerRecord {
  const isUuid = UUID_PATTERN.test(name);
  const found = isUuid
    ? target.listContainers().find(({ uuid }) => formatUuid(uuid) === name.toLowerCase())
    : target.findContainer(name);
  if (found !== undefined) return found;
  const why = `the pool has no container of that ${isUuid ? "UUID" : "label"}`;
  const remedy = `create it with pool.createContainer("${name}"), or choose one of pool.listContainers()`;
  throw new DaosError("DER_NONEXIST", { what, why, remedy }, { label: name, path });
}

/** A container that is to be destroyed. */
interface OldContainer {
  readonly id: number;
  readonly name: string;
  readonly what: string;
  /** Also while somebody has it open. */
  readonly force: boolean;
}

/**
 * Destroys a container, and takes back the space of those that nobody uses.
 *
 * @throws {@link DaosError} `DER_BUSY`, `DER_NONEXIST`.
 */
export function destroyRecord(target: Target, { id, name, what, force }: OldContainer): void {
  const destroy = () => target.destroyContainer(id);
  if (!target.handles.whileUnused(id, destroy)) {
    if (!force) {
      const remedy = "close its handles, or destroy it with force";
      throw new DaosError("DER_BUSY", { what, why: "somebody has it open", remedy }, { name });
    }
    destroy();
  }
  for (const _ of target.reclaim());
}
