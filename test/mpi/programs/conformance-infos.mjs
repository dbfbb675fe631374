/**
 * Conformance of infos, alone and of communicators.
 *
 * @module
 */

import { Info, infoCreateEnv, infoEnv } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

export const infoCases = {
  "an Info is a list of keys and values, in the order of setting"() {
    const info = new Info({ first: "1" });
    equal(info.set("second", "2").set("first", "one").size, 2);
    equal([...info].flat(), ["first", "one", "second", "2"]);
    equal([info.get("first"), info.get("third"), info.has("second")], ["one", undefined, true]);
    equal([info.nthKey(0), info.nthKey(1)], ["first", "second"]);
    equal([[...info.keys()].join(), [...info.values()].join()], ["first,second", "one,2"]);
    const copy = info.dup();
    equal([info.delete("first"), info.delete("first"), info.size, copy.size], [true, false, 1, 2]);
    equal([...new Info(new Map([["a", "b"]]))], [["a", "b"]]);
    copy.clear();
    equal(copy.size, 0);
  },

  "an Info refuses what is no text, is too long, or comes after free()"(comm) {
    const info = new Info();
    for (const key of ["", "x".repeat(256), "a\0b", 5, null]) {
      fails("MPI_ERR_INFO_KEY", () => info.set(key, "value"));
    }
    for (const value of ["", "x".repeat(1025), undefined]) {
      fails("MPI_ERR_INFO_VALUE", () => info.set("key", value));
    }
    fails("MPI_ERR_ARG", () => info.nthKey(0));
    fails("MPI_ERR_ARG", () => new Info(5));
    info.free();
    fails("MPI_ERR_INFO", () => info.set("key", "value"));
    fails("MPI_ERR_INFO", () => info.size);
    fails("MPI_ERR_INFO", () => info.free());
    fails("MPI_ERR_INFO", () => comm.dup(info));
    fails("MPI_ERR_INFO", () => comm.setInfo({}));
  },

  "dup(info), setInfo() and getInfo() reach the library"(comm) {
    const copy = comm.dup(new Info({ mpi_assert_no_any_tag: "true" }));
    copy.setInfo(new Info({ mpi_assert_exact_length: "true" }));
    const known = copy.getInfo();
    equal(known instanceof Info, true);
    // A library may forget what it makes no use of, and says nothing that it was not told.
    for (const [key, value] of known) {
      if (key.startsWith("mpi_assert")) equal(["true", "false"].includes(value), true, key);
    }
    const sum = new Int32Array(1);
    copy.allreduce(Int32Array.of(1), sum, "sum");
    equal(sum[0], comm.size);
    copy.free();
    fails("MPI_ERR_COMM", () => copy.getInfo());
  },

  "infoEnv() tells how the process was started"() {
    const info = infoEnv();
    equal(info instanceof Info, true);
    for (const [key, value] of info) equal([typeof key, value.length > 0], ["string", true]);
    const isSolo = info.get("maxprocs") === "1" && info.get("command") === process.execPath;
    equal(isSolo || info.size >= 0, true);
  },

  "infoCreateEnv() tells of a command, also without MPI"(comm) {
    const own = infoCreateEnv();
    equal(own instanceof Info, true);
    equal([own.get("command"), own.get("wdir")], [process.argv[0], process.cwd()]);
    equal(own.get("argv"), process.argv.slice(1).join(" "));
    if (comm.size > 1) equal(own.get("maxprocs"), String(comm.size));
    const given = infoCreateEnv(["ocean", "--steps", "9"]);
    equal([given.get("command"), given.get("argv")], ["ocean", "--steps 9"]);
    const bare = infoCreateEnv([]);
    equal([bare.has("command"), bare.has("argv"), bare.has("host")], [false, false, true]);
    equal(infoCreateEnv(["long", "x".repeat(2000)]).has("argv"), false);
    bare.free();
    equal(infoCreateEnv([]).has("host"), true, "each is a new one");
    for (const args of ["node", [5], null]) fails("MPI_ERR_ARG", () => infoCreateEnv(args));
  },
};
