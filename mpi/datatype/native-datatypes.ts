/**
 * Datatypes as a library knows them: made when a message first uses them, given back when they are forgotten.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { type Handle, type NativeMpi, Phase } from "../native-mpi.js";
import { BASIC_NAMES, type BasicName } from "./basic-types.js";
import { COMBINERS } from "./contents.js";
import { Datatype } from "./datatype.js";

const INT_MAX = 0x7fffffff;
const NO_NUMBERS = new Float64Array();

/** The datatypes of one library, in one thread. */
export class NativeDatatypes {
  readonly #native: NativeMpi;
  readonly #handles = new WeakMap<Datatype, Handle>();
  readonly #collector: FinalizationRegistry<Handle>;

  constructor(native: NativeMpi) {
    this.#native = native;
    this.#collector = new FinalizationRegistry((handle) => {
      if (native.phase() === Phase.ACTIVE) native.datatypeFree(handle);
    });
  }

  /**
   * The library's type.
   *
   * @throws {@link MpiError} `MPI_ERR_COUNT` for a type of which a number is more than the library counts, and
   *   what the library says of it.
   */
  handleOf(datatype: Datatype): Handle {
    const known = this.#handles.get(datatype);
    if (known !== undefined) return known;
    const handle = this.#make(datatype);
    this.#handles.set(datatype, handle);
    this.#collector.register(datatype, handle);
    return handle;
  }

  #make(datatype: Datatype): Handle {
    const { contents, name, size } = datatype;
    if (contents.combiner === "named") {
      const index = BASIC_NAMES.indexOf(name.slice("MPI_".length) as BasicName);
      return this.#native.datatypeNamed(index);
    }
    // Libraries refuse some constructors without data, such as blocks of no length.
    if (size === 0) return this.#empty();
    const { combiner, integers, addresses, datatypes } = contents;
    for (const integer of integers) {
      if (Math.abs(integer) > INT_MAX) throw tooLarge(integer);
    }
    const inner = Float64Array.from(datatypes, (type) => this.handleOf(type));
    return this.#native.datatypeCreate(
      COMBINERS.indexOf(combiner),
      Int32Array.from(integers),
      Float64Array.from(addresses),
      inner,
    );
  }

  #empty(): Handle {
    const inner = Float64Array.of(this.handleOf(Datatype.BYTE));
    const combiner = COMBINERS.indexOf("contiguous");
    return this.#native.datatypeCreate(combiner, Int32Array.of(0), NO_NUMBERS, inner);
  }
}

function tooLarge(value: number): MpiError {
  return new MpiError({
    code: "MPI_ERR_COUNT",
    call: "MPI_Type_commit",
    why: `${value} in a datatype is more than the library counts (${INT_MAX})`,
    remedy: "Build the type from larger elements",
  });
}
