// Records what a process does to the files of an SQLite store, so that a test can make the disk of a
// machine that lost power from it. Preloaded; one record per operation, in the order in which the
// operations take effect: kind (1 byte), file (1 byte: 0 database, 1 write-ahead log), offset and
// length (8 bytes each), and the bytes of a write.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;

static int file_of_path(const char *path) {
    size_t length = strlen(path);
    if (length > 3 && !strcmp(path + length - 3, ".db")) return 0;
    if (length > 7 && !strcmp(path + length - 7, ".db-wal")) return 1;
    return -1;
}

static int file_of(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    return file_of_path(path);
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void put(const void *bytes, size_t length) {
    ssize_t (*write_file)(int, const void *, size_t) = real("write");
    for (const char *at = bytes; length > 0;) {
        ssize_t written = write_file(trace, at, length);
        if (written <= 0) abort();
        at += written;
        length -= written;
    }
}

static void record(char kind, int file, uint64_t offset, uint64_t length, const void *bytes) {
    if (trace < 0) trace = open(getenv("RECORD_WRITES"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    char head[18] = {kind, (char)file};
    memcpy(head + 2, &offset, 8);
    memcpy(head + 10, &length, 8);
    put(head, sizeof head);
    if (bytes) put(bytes, length);
}

#define IN_ORDER(file, kind, offset, length, bytes, result, call)                                  \
    int file = file_of(fd);                                                                        \
    if (file < 0) return call;                                                                     \
    pthread_mutex_lock(&order);                                                                    \
    record(kind, file, offset, length, bytes);                                                     \
    result value = call;                                                                           \
    pthread_mutex_unlock(&order);                                                                  \
    return value;

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t (*call)(int, const void *, size_t) = real("write");
    IN_ORDER(file, 'w', (uint64_t)lseek(fd, 0, SEEK_CUR), length, bytes, ssize_t,
             call(fd, bytes, length))
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    ssize_t (*call)(int, const void *, size_t, off64_t) = real("pwrite64");
    IN_ORDER(file, 'w', (uint64_t)offset, length, bytes, ssize_t, call(fd, bytes, length, offset))
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite64(fd, bytes, length, offset);
}
int ftruncate64(int fd, off64_t length) {
    int (*call)(int, off64_t) = real("ftruncate64");
    IN_ORDER(file, 't', (uint64_t)length, 0, NULL, int, call(fd, length))
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fsync(int fd) {
    int (*call)(int) = real("fsync");
    IN_ORDER(file, 's', 0, 0, NULL, int, call(fd))
}
int fdatasync(int fd) {
    int (*call)(int) = real("fdatasync");
    IN_ORDER(file, 's', 0, 0, NULL, int, call(fd))
}
int unlink(const char *path) {
    int (*call)(const char *) = real("unlink");
    int file = file_of_path(path);
    if (file < 0) return call(path);
    pthread_mutex_lock(&order);
    record('u', file, 0, 0, NULL);
    int value = call(path);
    pthread_mutex_unlock(&order);
    return value;
}
