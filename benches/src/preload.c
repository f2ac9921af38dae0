/* Loaded before the program (LD_PRELOAD): makes each flush take longer, and counts flushes and bytes written.
   ANNALS_BENCH_SYNC_US: how much longer, in microseconds. ANNALS_BENCH_SYNC_COUNTS: the file for both counts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static _Atomic unsigned long long nowhere[2];
static _Atomic unsigned long long *counts = nowhere;
static struct timespec longer;

static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);

__attribute__((constructor)) static void begin(void) {
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    const char *microseconds = getenv("ANNALS_BENCH_SYNC_US");
    long us = microseconds ? atol(microseconds) : 0;
    longer.tv_sec = us / 1000000;
    longer.tv_nsec = us % 1000000 * 1000;
    const char *path = getenv("ANNALS_BENCH_SYNC_COUNTS");
    int file = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof nowhere) == 0) {
        void *shared = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) counts = shared;
    }
    close(file);
}

static void flushed(void) {
    counts[0]++;
    if (longer.tv_sec || longer.tv_nsec) nanosleep(&longer, NULL);
}

static ssize_t wrote(ssize_t bytes) {
    if (bytes > 0) counts[1] += (unsigned long long)bytes;
    return bytes;
}

int fsync(int file) { flushed(); return real_fsync(file); }
int fdatasync(int file) { flushed(); return real_fdatasync(file); }
ssize_t write(int file, const void *from, size_t bytes) { return wrote(real_write(file, from, bytes)); }
ssize_t pwrite(int file, const void *from, size_t bytes, off_t at) { return wrote(real_pwrite(file, from, bytes, at)); }
ssize_t pwrite64(int file, const void *from, size_t bytes, off64_t at) { return wrote(real_pwrite64(file, from, bytes, at)); }
