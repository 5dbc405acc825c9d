/* A disk that fails or is slow, for one process: fsync and fdatasync of files below DISK_FAULTS_FOLDER do as the file
 * DISK_FAULTS says: `ERRNO TIMES DELAY_MS`. ERRNO 0 is no error; TIMES below 0 is always. It is read anew whenever it has
 * changed. Loaded by LD_PRELOAD; built by tests/src/disk.rs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timespec read_at;
static int error, times, delay_ms;

static int is_below(int fd) {
    const char *folder = getenv("DISK_FAULTS_FOLDER");
    char link[64], path[PATH_MAX];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void read_orders(void) {
    const char *orders = getenv("DISK_FAULTS");
    struct stat now;
    if (!orders || stat(orders, &now) != 0) return;
    if (now.st_mtim.tv_sec == read_at.tv_sec && now.st_mtim.tv_nsec == read_at.tv_nsec) return;
    FILE *file = fopen(orders, "re");
    if (!file) return;
    if (fscanf(file, "%d %d %d", &error, &times, &delay_ms) == 3) read_at = now.st_mtim;
    fclose(file);
}

/* What this call shall fail with; 0: nothing. */
static int fault(int fd) {
    int found = 0, wait_ms = 0;
    if (!is_below(fd)) return 0;
    pthread_mutex_lock(&lock);
    read_orders();
    wait_ms = delay_ms;
    if (error && times) {
        found = error;
        if (times > 0) times--;
    }
    pthread_mutex_unlock(&lock);
    if (wait_ms > 0) {
        struct timespec pause = {wait_ms / 1000, (wait_ms % 1000) * 1000000L};
        nanosleep(&pause, NULL);
    }
    return found;
}

#define SYNC(name)                                                                         \
    int name(int fd) {                                                                     \
        static int (*real)(int);                                                           \
        int found = fault(fd);                                                             \
        if (found) {                                                                       \
            errno = found;                                                                 \
            return -1;                                                                     \
        }                                                                                  \
        if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name);                           \
        return real(fd);                                                                   \
    }

SYNC(fsync)
SYNC(fdatasync)
