/*
 * A journal of what a process does to the files below one directory, for tests of power loss.
 *
 *     LD_PRELOAD=journal.so JOURNAL_ROOT=<directory> JOURNAL_FILE=<file> node ...
 *
 * Interposes the calls of libc by which files, sizes and names change and by which changes become
 * durable, whoever makes them: node itself, the storage addon, LMDB. Each call runs and is recorded
 * under one lock of all threads and processes that share the journal, so that the order of the
 * records is the order in which the calls took effect.
 *
 *     record = header, name (`name_size` bytes), bytes (`size` bytes, of a write only)
 *
 * Names are relative to the root; a rename has both, with a NUL between. Integers are the
 * machine's. Calls that fail are not recorded. What is not interposed (stores to shared maps,
 * links, copy_file_range, io_uring) goes unseen: the replay compares its outcome with the
 * directory.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation {
  CREATE = 1,           /* name, file: a new file */
  WRITE = 2,            /* file, offset, bytes; `flag`: durable when it returns (O_DSYNC) */
  RESIZE = 3,           /* file, offset: the new size */
  SYNC = 4,             /* file */
  SYNC_NAMES = 5,       /* name of a directory */
  RENAME = 6,           /* two names */
  UNLINK = 7,           /* name */
  MAKE_DIRECTORY = 8,   /* name */
  REMOVE_DIRECTORY = 9, /* name */
};

struct header {
  uint32_t operation;
  uint32_t flag;
  uint64_t file; /* inode number: a name of its own until the file is removed */
  uint64_t offset;
  uint64_t size;
  uint64_t name_size;
};

static char root[PATH_MAX];
static size_t root_size;
static int journal = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* The journal would lie from here on: the test must not go on. */
static void die(const char *what) {
  fprintf(stderr, "journal: %s: %s\n", what, strerror(errno));
  abort();
}

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL)
    die(name);
  return found;
}

/* The function that `name` hides, looked up once. */
#define REAL(type, name)                                                                           \
  static type next;                                                                                \
  if (next == NULL)                                                                                \
  next = (type)real(name)

typedef ssize_t (*write_fn)(int, const void *, size_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef ssize_t (*writev_fn)(int, const struct iovec *, int);
typedef ssize_t (*pwritev_fn)(int, const struct iovec *, int, off_t);
typedef int (*open_fn)(const char *, int, ...);
typedef int (*openat_fn)(int, const char *, int, ...);
typedef int (*fd_fn)(int);
typedef int (*resize_fn)(int, off_t);
typedef int (*fallocate_fn)(int, int, off_t, off_t);
typedef int (*posix_fallocate_fn)(int, off_t, off_t);
typedef int (*rename_fn)(const char *, const char *);
typedef int (*name_fn)(const char *);
typedef int (*mkdir_fn)(const char *, mode_t);

__attribute__((constructor)) static void start(void) {
  const char *directory = getenv("JOURNAL_ROOT"), *file = getenv("JOURNAL_FILE");
  REAL(open_fn, "open64");
  if (directory == NULL || file == NULL)
    return;
  if (realpath(directory, root) == NULL)
    die(directory);
  root_size = strlen(root);
  journal = next(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (journal < 0)
    die(file);
}

/* The part of a canonical path below the root; NULL if it lies elsewhere. "" is the root itself. */
static const char *below_root(const char *path) {
  if (journal < 0 || strncmp(path, root, root_size) != 0)
    return NULL;
  if (path[root_size] == 0)
    return path + root_size;
  return path[root_size] == '/' ? path + root_size + 1 : NULL;
}

/* The name of an open file, as it is called now; NULL if it is not below the root. */
static const char *name_of_fd(int fd, char path[PATH_MAX]) {
  char link[64];
  if (journal < 0 || fd == journal)
    return NULL;
  int saved = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, PATH_MAX - 1);
  errno = saved;
  if (size <= 0)
    return NULL;
  path[size] = 0;
  return below_root(path);
}

/* The name that a path has or would have: its last part need not exist. */
static const char *name_of_path(int at, const char *path, char out[PATH_MAX]) {
  char given[PATH_MAX], parent[PATH_MAX];
  if (journal < 0 || (at != AT_FDCWD && path[0] != '/') || strlen(path) >= PATH_MAX)
    return NULL;
  int saved = errno;
  strcpy(given, path);
  char *slash = strrchr(given, '/');
  const char *directory = slash == NULL ? "." : slash == given ? "/" : given;
  const char *last = slash == NULL ? path : path + (slash - given) + 1;
  if (slash != NULL && slash != given)
    *slash = 0;
  if (realpath(directory, parent) == NULL || strlen(parent) + strlen(last) + 2 > PATH_MAX) {
    errno = saved;
    return NULL;
  }
  errno = saved;
  memmove(out, parent, strlen(parent) + 1);
  strcat(out, "/");
  strcat(out, last);
  return below_root(out);
}

static const char *name_of_stat(int fd, char path[PATH_MAX], struct stat *stat) {
  const char *name = name_of_fd(fd, path);
  return name != NULL && fstat(fd, stat) == 0 ? name : NULL;
}

static void lock(void) {
  pthread_mutex_lock(&mutex);
  while (flock(journal, LOCK_EX) != 0)
    if (errno != EINTR)
      die("flock");
}

static void unlock(void) {
  flock(journal, LOCK_UN);
  pthread_mutex_unlock(&mutex);
}

static void put(const void *bytes, size_t size) {
  REAL(write_fn, "write");
  for (size_t done = 0; done < size;) {
    ssize_t count = next(journal, (const char *)bytes + done, size - done);
    if (count < 0 && errno != EINTR)
      die("writing");
    done += count < 0 ? 0 : (size_t)count;
  }
}

static void record(struct header header, const char *name) {
  header.name_size = strlen(name);
  put(&header, sizeof header);
  put(name, header.name_size);
}

static bool is_synchronous(int fd) { return (fcntl(fd, F_GETFL) & O_DSYNC) != 0; }

/* The first `size` bytes of some buffers, written at `offset`. */
static void record_write(int fd, off_t offset, const struct iovec *parts, size_t size) {
  char path[PATH_MAX];
  struct stat stat;
  const char *name = name_of_stat(fd, path, &stat);
  if (name == NULL || size == 0)
    return;
  record((struct header){.operation = WRITE,
                         .flag = is_synchronous(fd),
                         .file = stat.st_ino,
                         .offset = (uint64_t)offset,
                         .size = size},
         name);
  for (; size > 0; parts++) {
    size_t part = parts->iov_len < size ? parts->iov_len : size;
    put(parts->iov_base, part);
    size -= part;
  }
}

/* Runs a call under the lock, and `then` if it succeeded; keeps errno. Evaluates to the call's
 * result. */
#define RECORDED(type, call, then)                                                                 \
  ({                                                                                               \
    lock();                                                                                        \
    type result = (call);                                                                          \
    int saved_errno = errno;                                                                       \
    if (result >= 0)                                                                               \
      then;                                                                                        \
    unlock();                                                                                      \
    errno = saved_errno;                                                                           \
    result;                                                                                        \
  })

static bool is_recorded(int fd) {
  char path[PATH_MAX];
  return name_of_fd(fd, path) != NULL;
}

/* Where a write without an offset began. */
static off_t begin_of(int fd, ssize_t size) { return lseek(fd, 0, SEEK_CUR) - size; }

ssize_t write(int fd, const void *bytes, size_t size) {
  REAL(write_fn, "write");
  if (!is_recorded(fd))
    return next(fd, bytes, size);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
  return RECORDED(ssize_t, next(fd, bytes, size),
                  record_write(fd, begin_of(fd, result), &part, (size_t)result));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev_fn, "writev");
  if (!is_recorded(fd))
    return next(fd, parts, count);
  return RECORDED(ssize_t, next(fd, parts, count),
                  record_write(fd, begin_of(fd, result), parts, (size_t)result));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) {
  REAL(pwrite_fn, "pwrite64");
  if (!is_recorded(fd))
    return next(fd, bytes, size, offset);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
  return RECORDED(ssize_t, next(fd, bytes, size, offset),
                  record_write(fd, offset, &part, (size_t)result));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  return pwrite64(fd, bytes, size, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(pwritev_fn, "pwritev64");
  if (!is_recorded(fd))
    return next(fd, parts, count, offset);
  return RECORDED(ssize_t, next(fd, parts, count, offset),
                  record_write(fd, offset, parts, (size_t)result));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

/* The size is asked of the file, so that whatever made it larger is right. */
static void record_size(int fd) {
  char path[PATH_MAX];
  struct stat stat;
  const char *name = name_of_stat(fd, path, &stat);
  if (name != NULL)
    record(
        (struct header){.operation = RESIZE, .file = stat.st_ino, .offset = (uint64_t)stat.st_size},
        name);
}

int ftruncate64(int fd, off_t size) {
  REAL(resize_fn, "ftruncate64");
  return is_recorded(fd) ? RECORDED(int, next(fd, size), record_size(fd)) : next(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fallocate64(int fd, int mode, off_t offset, off_t size) {
  REAL(fallocate_fn, "fallocate64");
  return is_recorded(fd) ? RECORDED(int, next(fd, mode, offset, size), record_size(fd))
                         : next(fd, mode, offset, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return fallocate64(fd, mode, offset, size);
}

int posix_fallocate64(int fd, off_t offset, off_t size) {
  REAL(posix_fallocate_fn, "posix_fallocate64");
  return is_recorded(fd) ? RECORDED(int, next(fd, offset, size), record_size(fd))
                         : next(fd, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) {
  return posix_fallocate64(fd, offset, size);
}

static void record_sync(int fd) {
  char path[PATH_MAX];
  struct stat stat;
  const char *name = name_of_stat(fd, path, &stat);
  if (name == NULL)
    return;
  const struct header header = {.operation = S_ISDIR(stat.st_mode) ? SYNC_NAMES : SYNC,
                                .file = stat.st_ino};
  record(header, name);
}

int fsync(int fd) {
  REAL(fd_fn, "fsync");
  return is_recorded(fd) ? RECORDED(int, next(fd), record_sync(fd)) : next(fd);
}

int fdatasync(int fd) {
  REAL(fd_fn, "fdatasync");
  return is_recorded(fd) ? RECORDED(int, next(fd), record_sync(fd)) : next(fd);
}

static void record_open(int fd, bool existed, bool truncated) {
  char path[PATH_MAX];
  struct stat stat;
  const char *name = name_of_stat(fd, path, &stat);
  if (name == NULL)
    return;
  if (!existed)
    record((struct header){.operation = CREATE, .file = stat.st_ino}, name);
  else if (truncated)
    record_size(fd);
}

int openat64(int at, const char *path, int flags, ...) {
  REAL(openat_fn, "openat64");
  char name[PATH_MAX];
  va_list rest;
  va_start(rest, flags);
  mode_t mode = __OPEN_NEEDS_MODE(flags) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & (O_CREAT | O_TRUNC)) == 0 || name_of_path(at, path, name) == NULL)
    return next(at, path, flags, mode);
  struct stat stat;
  bool existed;
  return RECORDED(int, (existed = lstat(name, &stat) == 0, next(at, path, flags, mode)),
                  record_open(result, existed, (flags & O_TRUNC) != 0));
}

/* The mode of the caller's variable arguments, if it gave one. */
#define FORWARD_OPEN(at)                                                                           \
  va_list rest;                                                                                    \
  va_start(rest, flags);                                                                           \
  mode_t mode = __OPEN_NEEDS_MODE(flags) ? va_arg(rest, mode_t) : 0;                               \
  va_end(rest);                                                                                    \
  return openat64(at, path, flags, mode)

int openat(int at, const char *path, int flags, ...) { FORWARD_OPEN(at); }

int open64(const char *path, int flags, ...) { FORWARD_OPEN(AT_FDCWD); }

int open(const char *path, int flags, ...) { FORWARD_OPEN(AT_FDCWD); }

int rename(const char *source, const char *target) {
  REAL(rename_fn, "rename");
  char from[PATH_MAX], to[PATH_MAX];
  const char *old_name = name_of_path(AT_FDCWD, source, from);
  const char *new_name = name_of_path(AT_FDCWD, target, to);
  if (old_name == NULL && new_name == NULL)
    return next(source, target);
  if (old_name == NULL || new_name == NULL)
    die("a rename across the border of what is recorded");
  const struct header header = {.operation = RENAME,
                                .name_size = strlen(old_name) + 1 + strlen(new_name)};
  return RECORDED(int, next(source, target), {
    put(&header, sizeof header);
    put(old_name, strlen(old_name) + 1);
    put(new_name, strlen(new_name));
  });
}

/* A call that takes one path. */
#define NAME_CALL(call, code)                                                                      \
  char path[PATH_MAX];                                                                             \
  const char *name = name_of_path(AT_FDCWD, given, path);                                          \
  if (name == NULL)                                                                                \
    return call;                                                                                   \
  return RECORDED(int, call, record((struct header){.operation = (code)}, name))

int unlink(const char *given) {
  REAL(name_fn, "unlink");
  NAME_CALL(next(given), UNLINK);
}

int rmdir(const char *given) {
  REAL(name_fn, "rmdir");
  NAME_CALL(next(given), REMOVE_DIRECTORY);
}

int mkdir(const char *given, mode_t mode) {
  REAL(mkdir_fn, "mkdir");
  NAME_CALL(next(given, mode), MAKE_DIRECTORY);
}
