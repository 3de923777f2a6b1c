/*
 * Clock shim: an LD_PRELOAD library that moves the wall clock of one process by an offset read from a file,
 * while it runs. The kernel's clock, file times and every other process stay as they are.
 *
 * Invariants: CLOCK_REALTIME (and _COARSE), gettimeofday, time and timespec_get move together; monotonic and
 * processor clocks are never touched, so timers keep their length; a change is seen within 50 ms; no offset
 * file, or an unreadable one, means the last offset known (at first: none).
 * Not moved: times that the kernel keeps itself (file times, timerfd or condition variables on
 * CLOCK_REALTIME); libuv's timers use the monotonic clock.
 *
 * Environment: HILUM_CLOCK_FILE  a text file with the offset in milliseconds: "-7200000\n"
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CACHE_NS 50000000LL
#define SECOND_NS 1000000000LL

static _Atomic long long offset_ns;
static _Atomic long long read_at_ns = -CACHE_NS;

static int (*real_gettime(void))(clockid_t, struct timespec *) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  return real;
}

static void read_offset(void) {
  const char *path = getenv("HILUM_CLOCK_FILE");
  char text[40];
  if (!path) return;
  int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  ssize_t n = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (n <= 0) return;
  text[n] = 0;
  char *end;
  long long ms = strtoll(text, &end, 10);
  /* A file that is just being rewritten may be empty: then the last offset stands. */
  if (end != text) atomic_store(&offset_ns, ms * 1000000LL);
}

static long long offset(void) {
  struct timespec now;
  int saved = errno;
  real_gettime()(CLOCK_MONOTONIC, &now);
  long long now_ns = now.tv_sec * SECOND_NS + now.tv_nsec, last = atomic_load(&read_at_ns);
  /* One thread reads; the others take the offset as it stands. */
  if (now_ns - last >= CACHE_NS && atomic_compare_exchange_strong(&read_at_ns, &last, now_ns)) read_offset();
  errno = saved;
  return atomic_load(&offset_ns);
}

static void move(struct timespec *t) {
  long long by = offset(), ns = t->tv_nsec + by % SECOND_NS;
  t->tv_sec += by / SECOND_NS;
  if (ns < 0) ns += SECOND_NS, t->tv_sec -= 1;
  if (ns >= SECOND_NS) ns -= SECOND_NS, t->tv_sec += 1;
  t->tv_nsec = ns;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
  int result = real_gettime()(clock, t);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(t);
  return result;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
  struct timespec t;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &t) != 0) return -1;
  *tv = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *result) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (result) *result = t.tv_sec;
  return t.tv_sec;
}

int timespec_get(struct timespec *t, int base) {
  if (base != TIME_UTC) return 0;
  return clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}
