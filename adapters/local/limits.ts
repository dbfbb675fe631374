/**
 * Limits of files that are written to a file system, unit last.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Small records are gathered up to this many bytes before they are written. */
export const GATHER_SIZE_MAX = 4 * MIB;
/** Records of at least this size are written as they are. */
export const DIRECT_SIZE_MIN = 256 * KIB;
/** Large space begins at a multiple of this many bytes. */
export const ALIGNMENT_SIZE = 4 * KIB;
/** Space is large from this size on, in bytes. */
export const ALIGNED_SIZE_MIN = 64 * KIB;
