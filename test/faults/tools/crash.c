/*
 * Crash points: an LD_PRELOAD shim that counts the calls by which a program changes files below one folder, and lets
 * something happen at the Nth of them. The count is of the whole process, so that each number is one moment of its life.
 *
 * Environment: HILUM_CRASH_DIR  the folder, an absolute path; without it the shim does nothing
 *              HILUM_CRASH_LOG  each counted call is appended to this file: "n call path" (rename: "from>to")
 *              HILUM_CRASH_AT   the number; none: only counted
 *              HILUM_CRASH_HOW  kill   SIGKILL before the call (the default)
 *                               half   SIGKILL when half of the bytes of a write are written
 *                               short  the write takes half of its bytes, and says so
 *                               slow   the call takes 5 s longer
 *                               a number: the call fails with this errno and does nothing
 *              HILUM_CRASH_ON   "1": from the Nth on, each of them
 *              HILUM_CRASH_ARM  a file: nothing is counted before it is there
 *              HILUM_CRASH_ONLY only calls of this name are counted: fsync, write, open, rename, unlink, mkdir ...
 *
 * Only a program called node is looked at: what it starts beside itself is not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

enum how { GO, HALF, SHORT, FAIL };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *folder, *only, *arm;
static size_t folder_length;
static long at, from_then_on;
static const char *how = "kill";
static int log_fd = -1;
static atomic_long count;

static void start(void) {
  char self[4096];
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", self, sizeof self - 1);
  if (n < 5 || memcmp(self + n - 5, "/node", 5) != 0) return;
  folder = getenv("HILUM_CRASH_DIR");
  if (!folder) return;
  folder_length = strlen(folder);
  only = getenv("HILUM_CRASH_ONLY");
  arm = getenv("HILUM_CRASH_ARM");
  if (getenv("HILUM_CRASH_AT")) at = atol(getenv("HILUM_CRASH_AT"));
  if (getenv("HILUM_CRASH_HOW")) how = getenv("HILUM_CRASH_HOW");
  from_then_on = getenv("HILUM_CRASH_ON") != 0;
  const char *path = getenv("HILUM_CRASH_LOG");
  if (path) log_fd = syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
}

static int is_ours(const char *path) {
  return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* What happens at this call. */
static enum how happens(const char *call, const char *path, int is_write) {
  if (only && strcmp(only, call) != 0) return GO;
  if (arm) {
    int saved = errno;
    if (syscall(SYS_faccessat, AT_FDCWD, arm, F_OK) != 0) {
      errno = saved;
      return GO;
    }
  }
  long n = atomic_fetch_add(&count, 1) + 1;
  if (log_fd >= 0) {
    char line[9000];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", n, call, path);
    int saved = errno;
    if (syscall(SYS_write, log_fd, line, length) != length) abort();
    errno = saved;
  }
  if (at == 0 || (from_then_on ? n < at : n != at)) return GO;
  if (strcmp(how, "kill") == 0 || (strcmp(how, "half") == 0 && !is_write)) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  if (strcmp(how, "half") == 0) return HALF;
  if (strcmp(how, "short") == 0) return is_write ? SHORT : GO;
  if (strcmp(how, "slow") == 0) {
    struct timespec pause = {5, 0};
    nanosleep(&pause, 0);
    return GO;
  }
  errno = atoi(how);
  return FAIL;
}

static int path_of(int fd, char *path, size_t size) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return 1;
}

static enum how on_file(const char *call, int fd, int is_write) {
  pthread_once(&once, start);
  if (!folder || fd == log_fd) return GO;
  char path[4096];
  int saved = errno;
  int ours = path_of(fd, path, sizeof path) && is_ours(path);
  errno = saved;
  return ours ? happens(call, path, is_write) : GO;
}

/* A path through an open folder is told as that of the folder. */
static void resolved(const char *path, char *into, size_t size) {
  int fd, used = 0;
  char of[4096];
  if (sscanf(path, "/proc/self/fd/%d/%n", &fd, &used) == 1 && used > 0 && path_of(fd, of, sizeof of))
    snprintf(into, size, "%s/%s", of, path + used);
  else
    snprintf(into, size, "%s", path);
}

static enum how on_path(const char *call, const char *path) {
  pthread_once(&once, start);
  if (!folder || !path) return GO;
  char full[8300];
  int saved = errno;
  resolved(path, full, sizeof full);
  errno = saved;
  return is_ours(full) ? happens(call, full, 0) : GO;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define WRITE(name, call, params, args, halfargs) \
  ssize_t name params { \
    REAL(name); \
    enum how what = on_file("write", fd, 1); \
    if (what == FAIL) return -1; \
    if (what == GO) return real args; \
    ssize_t result = call halfargs; \
    if (what == HALF) die(); \
    return result; \
  }

static size_t half(size_t n) { return n > 1 ? n / 2 : n; }
/* The first of several buffers only: a write may end between any two. */
static int few(int n) { return n > 1 ? n / 2 : n; }

WRITE(write, real, (int fd, const void *b, size_t n), (fd, b, n), (fd, b, half(n)))
WRITE(pwrite64, real, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), (fd, b, half(n), o))
WRITE(writev, real, (int fd, const struct iovec *v, int n), (fd, v, n), (fd, v, few(n)))
WRITE(pwritev64, real, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o), (fd, v, few(n), o))
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return pwrite64(fd, b, n, o); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t o) { return pwritev64(fd, v, n, o); }

#define ON_FILE(name, call, params, args) \
  int name params { \
    REAL(name); \
    return on_file(call, fd, 0) == FAIL ? -1 : real args; \
  }

ON_FILE(fsync, "fsync", (int fd), (fd))
ON_FILE(fdatasync, "fsync", (int fd), (fd))
ON_FILE(ftruncate64, "truncate", (int fd, off64_t size), (fd, size))
ON_FILE(fchmod, "chmod", (int fd, mode_t mode), (fd, mode))
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

#define ON_PATH(name, call, params, args) \
  int name params { \
    REAL(name); \
    return on_path(call, path) == FAIL ? -1 : real args; \
  }

ON_PATH(unlink, "unlink", (const char *path), (path))
ON_PATH(mkdir, "mkdir", (const char *path, mode_t mode), (path, mode))
ON_PATH(rmdir, "rmdir", (const char *path), (path))
ON_PATH(chmod, "chmod", (const char *path, mode_t mode), (path, mode))

int rename(const char *from, const char *to) {
  REAL(rename);
  return on_path("rename", to) == FAIL ? -1 : real(from, to);
}

/* Opening counts where it may make or cut a file; with HILUM_CRASH_ONLY=open each one does. */
static enum how on_open(const char *path, int flags) {
  pthread_once(&once, start);
  if (!folder) return GO;
  int each = only && strcmp(only, "open") == 0;
  return each || (flags & (O_CREAT | O_TRUNC)) ? on_path("open", path) : GO;
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    return on_open(path, flags) == FAIL ? -1 : real(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)

int bind(int fd, const struct sockaddr *address, socklen_t length) {
  REAL(bind);
  const char *path = ((const struct sockaddr_un *)address)->sun_path;
  if (address->sa_family == AF_UNIX && path[0] == '/' && on_path("bind", path) == FAIL) return -1;
  return real(fd, address, length);
}
