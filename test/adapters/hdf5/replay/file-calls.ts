/**
 * Calls of h5py's files, and of all objects.
 *
 * @module
 */

import {
  CommittedType,
  Dataset,
  type File,
  type FileMode,
  isHdf5,
  type Selection,
} from "daos-ts/hdf5";
import { type Arguments, type Handlers, inexpressible, leaveOut } from "./handler.ts";
import { Inexpressible, kindOf, type Recorded } from "./recording.ts";
import { DONE, seenObject, seenPlain } from "./seen.ts";
import { selectionOf } from "./selections.ts";
import { textOf } from "./values.ts";
import { isClosed, type World } from "./world.ts";

/** Arguments of `File` that say how HDF5's library keeps and locks its file. */
const LIBRARY_OPTIONS = {
  libver: "libver: versions of HDF5's file format",
  rdcc_nbytes: "rdcc_*: HDF5's cache of chunks",
  rdcc_nslots: "rdcc_*: HDF5's cache of chunks",
  rdcc_w0: "rdcc_*: HDF5's cache of chunks",
  fs_strategy: "fs_*: how HDF5 uses free space of a file",
  fs_persist: "fs_*: how HDF5 uses free space of a file",
  fs_threshold: "fs_*: how HDF5 uses free space of a file",
  fs_page_size: "fs_*: how HDF5 uses free space of a file",
  page_buf_size: "page_buf_size: HDF5's buffer of pages",
  min_meta_keep: "page_buf_size: HDF5's buffer of pages",
  min_raw_keep: "page_buf_size: HDF5's buffer of pages",
  meta_block_size: "meta_block_size: how HDF5 uses free space of a file",
  locking: "locking: readers and writers need no locks here",
  alignment_threshold: "alignment: where HDF5 puts elements in its file",
  alignment_interval: "alignment: where HDF5 puts elements in its file",
  swmr: "SWMR: readers open versions here",
};

/** Drivers that keep a file where other drivers find it. */
const PLAIN_DRIVERS = ["sec2", "stdio"];
const DRIVER_REASON = "driver: where HDF5 keeps the bytes of a file";

/** Options of files in memory: of their growth, and whether they are written at all. */
const CORE_OPTIONS = ["backing_store", "block_size"];

async function openFile(world: World, args: Arguments) {
  const { name, mode = "r", driver, userblock_size, track_order, ...options } = args;
  const others: Record<string, Recorded> = { ...options };
  if (typeof name !== "string" && kindOf(name, "bytes") === undefined) {
    throw new Inexpressible("a file that is an object of Python's");
  }
  // A file in memory is written when it is closed, or with `backing_store=False` dropped, as ours by `abort`.
  const isDropped = driver === "core" && others.backing_store === false;
  if (driver === "core") for (const option of CORE_OPTIONS) delete others[option];
  else if (driver !== undefined && driver !== null && !PLAIN_DRIVERS.includes(String(driver))) {
    throw new Inexpressible(DRIVER_REASON);
  }
  if (userblock_size !== undefined && userblock_size !== null) {
    throw new Inexpressible("userblock_size: bytes in front of an .h5 file");
  }
  const rest = Object.keys(others);
  if (rest.length > 0) throw new Inexpressible(`${rest[0]}: an option of HDF5's library`);
  const order = track_order === true ? { trackOrder: true } : {};
  const file = await world.openFile(textOf(name), (mode ?? "r") as FileMode, order);
  if (isDropped) world.dropAtClose(file);
  return file;
}

/** The path of the group that an object is in. */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

async function isOpen(world: World, on: Recorded | undefined): Promise<boolean> {
  const object = await world.object(on);
  try {
    // Any call on an object of a closed file fails.
    await object.attrs.size();
    return true;
  } catch {
    return false;
  }
}

/** Calls of files. */
export const FILE_CALLS: Handlers = {
  is_hdf5: async (world, { fname }) =>
    seenPlain(await isHdf5(world.container, world.pathOf(textOf(fname)))),
  "File.__init__": async (world, args, call) =>
    seenObject(await openFile(world, leaveOut(args, call, LIBRARY_OPTIONS))),
  "File.close": async (world, _, { on }) => {
    await world.closeFile((await world.object(on)) as File);
    return DONE;
  },
  "File.__exit__": async (world, _, { on }) => {
    await world.closeFile((await world.object(on)) as File);
    return DONE;
  },
  "File.flush": async (world, _, { on }) => {
    await world.fileOf(on).flush();
    return DONE;
  },
  "File.filename": async (world, _, call) => {
    const { filename } = world.fileOf(call.on);
    const theirs = call.result as string;
    return seenPlain(filename === world.pathOf(theirs) ? theirs : filename);
  },
  "File.mode": async (world, _, { on }) => {
    const file = world.fileOf(on);
    // h5py says only whether the file can be written; ours, how it was opened.
    if (isClosed(file)) await file.keys();
    return seenPlain(file.mode === "r" ? "r" : "r+");
  },
  "File.userblock_size": async (world, _, { on }) => seenPlain(world.fileOf(on).userBlock.length),
  "File.driver": inexpressible(DRIVER_REASON),
  "File.libver": inexpressible("libver: versions of HDF5's file format"),
  "File.swmr_mode": inexpressible("SWMR: readers open versions here"),
  "File.swmr_mode=": inexpressible("SWMR: readers open versions here"),
  "File.atomic": inexpressible("atomic: MPI-IO's atomic mode of HDF5's files"),
  "File.meta_block_size": inexpressible("meta_block_size: how HDF5 uses free space of a file"),
  "File.__repr__": inexpressible("repr(): text for Python's console"),
};

/** Calls of all objects. */
export const OBJECT_CALLS: Handlers = {
  "HLObject.name": async (world, _, { on }) => seenPlain((await world.object(on)).name),
  "HLObject.file": async (world, _, { on, result }) => {
    await world.object(on);
    // What the program does with it goes on with the file that it opened.
    if (result !== undefined && world.hasFileOf(result)) world.bind(result, world.fileOf(result));
    throw new Inexpressible("file: our objects do not lead back to their file");
  },
  // h5py defines it so: the group of the name without its last part.
  "HLObject.parent": async (world, _, { on }) => {
    const { name } = await world.object(on);
    return seenObject(await world.fileOf(on).get(parentOf(name)));
  },
  "HLObject.ref": async (world, _, { on }) => {
    const object = await world.object(on);
    return { kind: "reference", reference: object.ref };
  },
  // Our objects have no equality; their references are equal for the same object of a container.
  "HLObject.__eq__": async (world, { other }, { on }) => {
    if (kindOf(other, "object") === undefined) return seenPlain(false);
    const [one, two] = [await world.object(on), await world.object(other)];
    return seenPlain(one.ref.object === two.ref.object);
  },
  "HLObject.__bool__": async (world, _, { on }) => seenPlain(await isOpen(world, on)),
  "Datatype.dtype": async (world, _, { on }) => {
    const object = await world.object(on);
    if (!(object instanceof CommittedType)) throw new Error("it is no committed type");
    return { kind: "type", type: object.type };
  },
  "Datatype.__repr__": inexpressible("repr(): text for Python's console"),
  "_RegionProxy.__getitem__": async (world, { args }, { on }) => {
    const region = kindOf<Recorded>(on, "region");
    const object = await world.object(region);
    if (!(object instanceof Dataset)) throw new Inexpressible("a region of what is no dataset");
    const selection: Selection = selectionOf(args);
    return { kind: "reference", reference: object.regionRef(selection) };
  },
  "_RegionProxy.shape": async (world, { ref }) => {
    const reference = await world.reference(ref as { [kind: string]: unknown });
    const found = reference && (await world.fileNamed(world.current).get(reference));
    return seenPlain(found instanceof Dataset ? found.shape : undefined);
  },
  "_RegionProxy.selection": async (world, { ref }) => {
    const reference = await world.reference(ref as { [kind: string]: unknown });
    const found = await world.fileNamed(world.current).region(reference as never);
    return seenPlain((await found?.dataset.read(found.selection))?.shape);
  },
};
