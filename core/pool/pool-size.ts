/**
 * How large a pool may become: what a user says, and the limits of the tiers that it means.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { NVME_SIZE_MIN, SCM_SIZE_MIN, SCM_SIZE_SHARE } from "../limits.js";
import type { TierLimits } from "../vos/usage.js";

/**
 * How large a pool may become, in bytes. A number is for both tiers: an eighth of it, and at least
 * 2 MiB, for `scm` (keys, values of up to 4 KiB, the index), the rest for `nvme` (arrays, larger values). A tier that is
 * left out is bounded by its file system only, as both are without a size.
 */
export type PoolSize =
  | number
  | {
      /** Of the tier of the index. */
      readonly scm?: number;
      /** Of the tier of the segments. */
      readonly nvme?: number;
    };

const SMALLEST = { scm: SCM_SIZE_MIN, nvme: NVME_SIZE_MIN };

/**
 * The limits that a size means.
 *
 * @throws {@link DaosError} `DER_INVAL` for a size that is no whole number of bytes, or too small.
 */
export function tierLimits(size: PoolSize | undefined, what: string): TierLimits {
  const limits = typeof size === "number" ? split(size) : { scm: size?.scm, nvme: size?.nvme };
  for (const tier of ["scm", "nvme"] as const) {
    const limit = limits[tier];
    const smallest = SMALLEST[tier];
    if (limit === undefined || (Number.isSafeInteger(limit) && limit >= smallest)) continue;
    const why = `the limit of tier ${tier} would be ${limit} bytes`;
    const remedy = `give a whole number of bytes of at least ${smallest} for each tier`;
    throw new DaosError("DER_INVAL", { what, why, remedy }, { tier, limit, smallest });
  }
  return limits;
}

function split(size: number): TierLimits {
  const scm = Math.max(SCM_SIZE_MIN, Math.floor(size / SCM_SIZE_SHARE));
  return { scm, nvme: size - scm };
}
