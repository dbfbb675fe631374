/**
 * Copies of communicators, on which files exchange what no message of the program may meet: one for each communicator
 * on which a file was opened. It is kept as long as that one, since making a copy costs as much as all else that
 * opening a file exchanges.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { Errhandler } from "../error-handler.js";
import { Keyval } from "../groups/attributes.js";

interface Copy {
  readonly comm: Communicator;
  /** Files that are open on it. */
  users: number;
  /** Whether the program has freed what it is a copy of. */
  isOrphan: boolean;
}

const copies = new WeakMap<Communicator, Copy>();

/** Of a communicator that is freed: all ranks free it, and so all of them free the copy. */
const copyOf = new Keyval<Copy>({
  delete: (copy) => {
    copy.isOrphan = true;
    if (copy.users === 0) copy.comm.free();
  },
});

/** The copy that files use. Give it back when the file is closed. Collective. */
export function borrowCopy(comm: Communicator): Communicator {
  let copy = copies.get(comm);
  if (copy === undefined || copy.isOrphan) {
    const own = comm.dup();
    own.setErrhandler(Errhandler.ERRORS_RETURN); // Errors of files have handlers of their own.
    copy = { comm: own, users: 0, isOrphan: false };
    copies.set(comm, copy);
    copies.set(copy.comm, copy);
    comm.setAttribute(copyOf, copy);
  }
  copy.users += 1;
  return copy.comm;
}

/** Ends the use of a copy. Collective. */
export function giveBackCopy(comm: Communicator): void {
  const copy = copies.get(comm) as Copy;
  copy.users -= 1;
  if (copy.users === 0 && copy.isOrphan) comm.free();
}
