/**
 * Making the files of a pool. The superblock is written last: a creation that was killed leaves no pool.
 *
 * @module
 */

import path from "node:path";
import { checkPrincipalName, formatAcl, toAcl } from "../access/acl-format.js";
import { withAt } from "../access/identity.js";
import type { Device } from "../device/device.js";
import { storageError } from "../errors.js";
import { PINS_FILE } from "../vos/local-target.js";
import type { StoredProperty } from "../vos/metadata.js";
import { PinTable } from "../vos/pins.js";
import { INDEX_FILE } from "../vos/usage.js";
import { requireLocal } from "./file-system.js";
import { checkLabel } from "./labels.js";
import { createIndex, makeTier, requireEmpty, writeSuperblock } from "./layout.js";
import { finishDestruction } from "./pool-destruction.js";
import type { PoolConnectOptions, PoolCreateOptions } from "./pool-options.js";
import { tierLimits } from "./pool-size.js";
import { checkProperties, POOL_PROPERTIES } from "./properties.js";
import { randomUuid } from "./uuid.js";

/** Properties of a new pool, checked. */
function newProperties(
  what: string,
  options: PoolCreateOptions & PoolConnectOptions,
): Map<string, StoredProperty> {
  const properties = checkProperties(what, POOL_PROPERTIES, options.properties ?? {}, true);
  if (options.acl !== undefined) properties.set("acl", formatAcl(toAcl(options.acl)));
  if (options.identity) properties.set("owner", withAt(options.identity.user));
  if (options.group) properties.set("group", withAt(options.group));
  for (const name of ["owner", "group"]) {
    const value = properties.get(name);
    if (value !== undefined) checkPrincipalName(what, String(value));
  }
  return properties;
}

/**
 * Makes the files of a pool in an empty directory. What a killed destruction left is removed first.
 *
 * @throws {@link DaosError} as `Pool.create` does.
 */
export function createPoolFiles(
  directory: string,
  device: Device,
  options: PoolCreateOptions & PoolConnectOptions,
): void {
  const what = `Creating pool ${directory}`;
  const label = options.label ?? path.basename(directory);
  checkLabel(label, what);
  const properties = newProperties(what, options);
  const limits = tierLimits(options.size, what);
  finishDestruction(device, directory, what);
  requireEmpty(directory, what);
  const durability = options.durability ?? "power";
  try {
    const scm = makeTier(directory, "scm", options.scm);
    makeTier(directory, "nvme", options.nvme);
    requireLocal(device, scm);
    PinTable.create(device, path.join(scm, PINS_FILE));
    const durable = durability === "power";
    createIndex(path.join(scm, INDEX_FILE), durable, { ...limits, properties });
    const uuid = randomUuid(device);
    const superblock = { uuid, durability, created: device.now(), label };
    // The superblock says that the rest is there, so the rest is durable before it.
    device.syncDirectory(scm);
    device.syncDirectory(path.dirname(directory));
    writeSuperblock(device, directory, superblock);
  } catch (error) {
    throw storageError(error, what, directory);
  }
}
