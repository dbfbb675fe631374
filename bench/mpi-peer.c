/**
 * The peer of the suite `mpi`: the loops of mpi-ranks.ts in C. Prints one JSON line of seconds per
 * operation.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static double ping_pong(char *buffer, int size, int count, int rank) {
  MPI_Barrier(MPI_COMM_WORLD);
  double start = MPI_Wtime();
  for (int i = 0; i < count; i++) {
    if (rank == 0) {
      MPI_Send(buffer, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
      MPI_Recv(buffer, size, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
      MPI_Recv(buffer, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(buffer, size, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
    }
  }
  return (MPI_Wtime() - start) / count / 2;
}

static double allreduce(char *buffer, char *result, int size, int count) {
  MPI_Barrier(MPI_COMM_WORLD);
  double start = MPI_Wtime();
  for (int i = 0; i < count; i++)
    MPI_Allreduce(buffer, result, size / 8, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  return (MPI_Wtime() - start) / count;
}

/** Arguments: pingpong | allreduce, size in bytes, count. */
int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  int is_reduction = argc == 4 && argv[1][0] == 'a';
  int size = argc == 4 ? atoi(argv[2]) : 0, count = argc == 4 ? atoi(argv[3]) : 0;
  char *buffer = calloc((size_t)size + 1, 1), *result = calloc((size_t)size + 1, 1);
  if (size <= 0 || count <= 0 || !buffer || !result)
    MPI_Abort(MPI_COMM_WORLD, 2);
  double seconds = 0;
  for (int round = 0; round < 2; round++) /* the first one warms up */
    seconds = is_reduction ? allreduce(buffer, result, size, count)
                           : ping_pong(buffer, size, count, rank);
  if (rank == 0)
    printf("{\"seconds\":%.12f}\n", seconds);
  free(buffer);
  free(result);
  return MPI_Finalize();
}
