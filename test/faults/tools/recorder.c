/*
 * Write recorder: an LD_PRELOAD shim that logs every write and flush of chosen files, in order, so that
 * images.ts can rebuild those files as a power cut would have left them.
 *
 * Invariants:
 *  - A write is logged twice: 'W' with its bytes BEFORE the call, 'w' with the result after it. A flush is
 *    logged as 's' before and 'S' after success ('E' after failure). So "durable" can be judged with no doubt
 *    about overlap: a flush covers exactly the writes that had returned before it started.
 *  - Each record is one appending writev: records of threads and processes never mix, kill -9 tears none but
 *    perhaps the last.
 *  - Recorded bytes must equal the file at the end. images.ts asserts it: a recorder that misses a call
 *    (another entry point, mmap) cries wolf, or sleeps.
 *
 * Environment: HILUM_REC_LOG     the recording; without it the shim does nothing
 *              HILUM_REC_SUFFIX  files whose path ends with this are recorded (default "data.mdb")
 *              HILUM_REC_MARKS   a file or FIFO: lines "ACKMARK n" written to it (or to fd 2) become marks
 *              HILUM_REC_SYNC_DELAY_US  waits so long before each flush: widens the window between write and
 *                                durability, so that an answer before the commit is seen at almost any cut
 *
 * Record: 48 bytes, little endian, then `length` bytes where the type carries data (W, P, F, R).
 *   type u8 | flags u8 (1 = O_DSYNC) | pad u16 | tid u32 | id u64 | file u64 | offset u64 | length u64 | result i64
 *   W issued  w returned  s flush begins  S flushed  E flush failed  T truncate  L fallocate (flags = mode)
 *   P a file's path  F a directory was flushed (path)  R a rename into a recorded name (path)  A mark (offset = n)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct record {
  uint8_t type, flags;
  uint16_t pad;
  uint32_t tid;
  uint64_t id, file, offset, length;
  int64_t result;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *suffix = "data.mdb", *marks;
static long sync_delay_us;
static atomic_ullong next_id;
static uint64_t known[256];
static int known_count;

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void start(void) {
  const char *path = getenv("HILUM_REC_LOG");
  if (getenv("HILUM_REC_SUFFIX")) suffix = getenv("HILUM_REC_SUFFIX");
  if (getenv("HILUM_REC_SYNC_DELAY_US")) sync_delay_us = atol(getenv("HILUM_REC_SYNC_DELAY_US"));
  marks = getenv("HILUM_REC_MARKS");
  /* Processes share one log: identifiers carry the process in their upper half. */
  next_id = (uint64_t)getpid() << 32;
  if (path) log_fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
}

static void emit(struct record r, const struct iovec *data, int count) {
  struct iovec all[1026];
  if (count > 1024) abort();
  r.tid = (uint32_t)syscall(SYS_gettid);
  all[0] = (struct iovec){&r, sizeof r};
  for (int i = 0; i < count; i++) all[i + 1] = data[i];
  ssize_t want = sizeof r;
  for (int i = 0; i < count; i++) want += data[i].iov_len;
  int saved = errno;
  /* A short record would make every later one unreadable: better no run at all. */
  if (syscall(SYS_writev, log_fd, all, count + 1) != want) abort();
  errno = saved;
}

static int path_of(int fd, char *path, size_t size) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return 1;
}

static int ends_with_suffix(const char *path) {
  size_t n = strlen(path), m = strlen(suffix);
  return n >= m && strcmp(path + n - m, suffix) == 0;
}

/* Tells the path of a file once. A full table only repeats itself. */
static void introduce(uint64_t file, const char *path) {
  pthread_mutex_lock(&known_lock);
  int seen = 0;
  for (int i = 0; i < known_count && !seen; i++) seen = known[i] == file;
  if (!seen) {
    if (known_count < 256) known[known_count++] = file;
    struct iovec v = {(void *)path, strlen(path)};
    emit((struct record){.type = 'P', .file = file, .length = v.iov_len}, &v, 1);
  }
  pthread_mutex_unlock(&known_lock);
}

/* The file's number where fd is recorded, else 0. Sockets and pipes cost one fstat. */
static uint64_t recorded(int fd, uint8_t *dsync) {
  pthread_once(&once, start);
  if (log_fd < 0 || fd == log_fd) return 0;
  struct stat st;
  char path[4096];
  int saved = errno;
  uint64_t file = 0;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && path_of(fd, path, sizeof path) && ends_with_suffix(path)) {
    file = ((uint64_t)st.st_dev << 40) ^ st.st_ino;
    introduce(file, path);
    int flags = fcntl(fd, F_GETFL);
    *dsync = flags >= 0 && (flags & O_DSYNC) != 0;
  }
  errno = saved;
  return file;
}

/* Writes without an offset go to the end of an appending file, else to the file's position. */
static uint64_t position_of(int fd) {
  struct stat st;
  if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0) return st.st_size;
  return lseek(fd, 0, SEEK_CUR);
}

static uint64_t issued(uint64_t file, uint8_t dsync, uint64_t offset, const struct iovec *v, int count) {
  uint64_t length = 0, id = atomic_fetch_add(&next_id, 1) + 1;
  for (int i = 0; i < count; i++) length += v[i].iov_len;
  struct record r = {.type = 'W', .flags = dsync, .id = id, .file = file, .offset = offset, .length = length};
  emit(r, v, count);
  return id;
}

static void returned(uint64_t file, uint8_t dsync, uint64_t id, ssize_t result) {
  emit((struct record){.type = 'w', .flags = dsync, .id = id, .file = file, .result = result}, 0, 0);
}

static void mark(int fd, const char *text, size_t n) {
  char path[4096];
  struct stat st;
  if (n < 9 || memcmp(text, "ACKMARK ", 8) != 0) return;
  pthread_once(&once, start);
  if (log_fd < 0) return;
  if (fd != 2) {
    if (!marks || fstat(fd, &st) != 0 || S_ISSOCK(st.st_mode)) return;
    if (!path_of(fd, path, sizeof path) || strcmp(path, marks) != 0) return;
  }
  /* Several lines may come in one write. */
  const char *end = text + n;
  while (text && end - text > 8 && memcmp(text, "ACKMARK ", 8) == 0) {
    emit((struct record){.type = 'A', .offset = strtoull(text + 8, 0, 10)}, 0, 0);
    text = memchr(text, '\n', end - text);
    if (text) text++;
  }
}

ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) {
  REAL(pwrite64);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) return real(fd, b, n, at);
  struct iovec v = {(void *)b, n};
  uint64_t id = issued(file, dsync, at, &v, 1);
  ssize_t result = real(fd, b, n, at);
  returned(file, dsync, id, result);
  return result;
}

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return pwrite64(fd, b, n, at); }

ssize_t pwritev64(int fd, const struct iovec *v, int count, off64_t at) {
  REAL(pwritev64);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) return real(fd, v, count, at);
  uint64_t id = issued(file, dsync, at, v, count);
  ssize_t result = real(fd, v, count, at);
  returned(file, dsync, id, result);
  return result;
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at) { return pwritev64(fd, v, count, at); }

ssize_t pwritev64v2(int fd, const struct iovec *v, int count, off64_t at, int flags) {
  REAL(pwritev64v2);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) return real(fd, v, count, at, flags);
  dsync = dsync || (flags & RWF_DSYNC) || (flags & RWF_SYNC);
  uint64_t id = issued(file, dsync, at == -1 ? position_of(fd) : (uint64_t)at, v, count);
  ssize_t result = real(fd, v, count, at, flags);
  returned(file, dsync, id, result);
  return result;
}

ssize_t pwritev2(int fd, const struct iovec *v, int count, off_t at, int flags) {
  return pwritev64v2(fd, v, count, at, flags);
}

ssize_t writev(int fd, const struct iovec *v, int count) {
  REAL(writev);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) return real(fd, v, count);
  uint64_t id = issued(file, dsync, position_of(fd), v, count);
  ssize_t result = real(fd, v, count);
  returned(file, dsync, id, result);
  return result;
}

ssize_t write(int fd, const void *b, size_t n) {
  REAL(write);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) {
    /* The mark stands before the write returns, so nothing that happens later can come before it. */
    mark(fd, b, n);
    return real(fd, b, n);
  }
  struct iovec v = {(void *)b, n};
  uint64_t id = issued(file, dsync, position_of(fd), &v, 1);
  ssize_t result = real(fd, b, n);
  returned(file, dsync, id, result);
  return result;
}

static int flush(int fd, int (*real)(int)) {
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync);
  if (!file) {
    int result = real(fd);
    struct stat st;
    char path[4096];
    if (result == 0 && log_fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && path_of(fd, path, sizeof path)) {
      struct iovec v = {path, strlen(path)};
      emit((struct record){.type = 'F', .length = v.iov_len}, &v, 1);
    }
    return result;
  }
  uint64_t id = atomic_fetch_add(&next_id, 1) + 1;
  emit((struct record){.type = 's', .id = id, .file = file}, 0, 0);
  if (sync_delay_us > 0) {
    struct timespec pause = {sync_delay_us / 1000000, (sync_delay_us % 1000000) * 1000};
    nanosleep(&pause, 0);
  }
  int result = real(fd);
  emit((struct record){.type = result == 0 ? 'S' : 'E', .id = id, .file = file, .result = result}, 0, 0);
  return result;
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return flush(fd, real);
}

int fsync(int fd) {
  REAL(fsync);
  return flush(fd, real);
}

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync), id = atomic_fetch_add(&next_id, 1) + 1;
  int result = real(fd, size);
  if (file && result == 0) emit((struct record){.type = 'T', .id = id, .file = file, .offset = size}, 0, 0);
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
  REAL(fallocate64);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync), id = atomic_fetch_add(&next_id, 1) + 1;
  int result = real(fd, mode, at, length);
  /* `result` carries the range's length: it is no data that follows. */
  struct record r = {.type = 'L', .flags = mode, .id = id, .file = file, .offset = at, .result = length};
  if (file && result == 0) emit(r, 0, 0);
  return result;
}

int fallocate(int fd, int mode, off_t at, off_t length) { return fallocate64(fd, mode, at, length); }

int posix_fallocate64(int fd, off64_t at, off64_t length) {
  REAL(posix_fallocate64);
  uint8_t dsync = 0;
  uint64_t file = recorded(fd, &dsync), id = atomic_fetch_add(&next_id, 1) + 1;
  int result = real(fd, at, length);
  struct record r = {.type = 'L', .id = id, .file = file, .offset = at, .result = length};
  if (file && result == 0) emit(r, 0, 0);
  return result;
}

int posix_fallocate(int fd, off_t at, off_t length) { return posix_fallocate64(fd, at, length); }

int rename(const char *from, const char *to) {
  REAL(rename);
  int result = real(from, to);
  pthread_once(&once, start);
  if (result == 0 && log_fd >= 0 && ends_with_suffix(to)) {
    struct iovec v = {(void *)to, strlen(to)};
    emit((struct record){.type = 'R', .length = v.iov_len}, &v, 1);
  }
  return result;
}
