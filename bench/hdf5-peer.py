"""The peer of the suite `hdf5`: the same work through h5py, serial or with mpi4py.

    python3 hdf5-peer.py '<job as JSON>'

Prints one JSON line: seconds of each round, by phase. Rank 0 prints.
"""
import json
import os
import sys
import time

job = json.loads(sys.argv[1])
if job["isParallel"]:
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    rank, size = comm.Get_rank(), comm.Get_size()
else:
    for name in list(os.environ):
        if name.startswith(("OMPI_", "PMIX_", "PMI_", "MPI_")):
            del os.environ[name]
    comm, rank, size = None, 0, 1

import h5py  # noqa: E402
import numpy as np  # noqa: E402

path = os.path.join(job["directory"], "peer.h5")


def barrier():
    if comm is not None:
        comm.Barrier()


def timed(run):
    barrier()
    start = time.perf_counter()
    run()
    barrier()
    return time.perf_counter() - start


def remove():
    barrier()
    if rank == 0 and os.path.exists(path):
        os.remove(path)
    barrier()


def open_file(mode):
    if comm is None:
        return h5py.File(path, mode)
    return h5py.File(path, mode, driver="mpio", comm=comm)


def box():
    """The block of this rank: as in hdf5-job.ts."""
    side = job["side"]
    grid = MPI.Compute_dims(size, 3) if comm is not None else [1, 1, 1]
    at = [rank // (grid[1] * grid[2]), rank // grid[2] % grid[1], rank % grid[2]]
    return tuple(slice(side * a // g, side * (a + 1) // g) for a, g in zip(at, grid))


def blocks():
    side, chunk = job["side"], job["chunk"]
    options = {} if chunk is None else {"chunks": (chunk,) * 3}
    if job["gzip"]:
        options.update(compression="gzip", compression_opts=4)
    mine = box()
    shape = tuple(one.stop - one.start for one in mine)
    data = (np.arange(np.prod(shape), dtype="f8") * (rank + 1) % 1000).reshape(shape)
    target = np.empty(shape, "f8")

    def write():
        with open_file("w") as file:
            dataset = file.create_dataset("d", (side,) * 3, "f8", **options)
            if job["isCollective"] and comm is not None:
                with dataset.collective:
                    dataset[mine] = data
            else:
                dataset[mine] = data

    def read():
        with open_file("r") as file:
            dataset = file["d"]
            if job["isCollective"] and comm is not None:
                with dataset.collective:
                    dataset.read_direct(target, mine)
            else:
                dataset.read_direct(target, mine)

    result = {"write": [], "read": []}
    for _ in range(job["warmUps"] + job["rounds"]):
        remove()
        result["write"].append(timed(write))
        result["read"].append(timed(read))
        assert target[-1, -1, -1] == data[-1, -1, -1]
    return result


def points():
    count = job["count"]
    with open_file("w") as file:
        file.create_dataset("d", data=np.arange(job["length"], dtype="f8"))
    places = np.random.default_rng(1).integers(0, job["length"], count)

    def read():
        with open_file("r") as file:
            dataset = file["d"]
            for place in places:
                dataset[int(place)]

    return {"read": [timed(read) for _ in range(job["warmUps"] + job["rounds"])]}


def creates():
    def create():
        with open_file("w") as file:
            for index in range(job["count"]):
                file.create_dataset(f"d{index}", data=np.full(10, index, "f8"))

    result = []
    for _ in range(job["warmUps"] + job["rounds"]):
        remove()
        result.append(timed(create))
    return {"create": result}


outcome = {"blocks": blocks, "points": points, "creates": creates}[job["kind"]]()
remove()
if rank == 0:
    print(json.dumps({phase: times[job["warmUps"]:] for phase, times in outcome.items()}))
