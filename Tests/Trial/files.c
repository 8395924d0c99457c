// Whether files of the host keep their contents when the lab kernel has far too little memory for them. It shows them in
// place of pages of its own (netns/kernel/patches/0006), and has to make these ordinary memory again each time.
#define _GNU_SOURCE
#include "trial.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES = 400, LARGEST = 1 << 20, PAGE = 4096 };
static struct { char *path; uint64_t sum; } files[FILES];
static int count;

static uint64_t sum(const unsigned char *octets, long length, uint64_t sum) {
    for (long i = 0; i < length; i++) sum = (sum ^ octets[i]) * 0x100000001B3u;
    return sum;
}

// Half by read(2), half through a mapping; 0 if it cannot be read.
static uint64_t sum_of(const char *path, int mapped) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    long size = lseek(file, 0, SEEK_END);
    uint64_t result = 0xCBF29CE484222325u;
    if (mapped) {
        unsigned char *octets = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (octets != MAP_FAILED) {
            result = sum(octets, size, result);
            munmap(octets, size);
        }
    } else {
        static unsigned char buffer[1 << 16];
        long got;
        for (long at = 0; (got = pread(file, buffer, sizeof buffer, at)) > 0; at += got) result = sum(buffer, got, result);
    }
    close(file);
    return result;
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)where;
    if (type != FTW_F || status->st_size < 2 * PAGE || status->st_size > LARGEST || access(path, R_OK)) return 0;
    files[count].path = strdup(path);
    return ++count == FILES;
}

int changed_files(void) {
    nftw("/usr/lib", visit, 20, FTW_PHYS);
    if (count < FILES / 4) return -1;
    for (int i = 0; i < count; i++) files[i].sum = sum_of(files[i].path, i % 2);
    int wrong = 0;
    // What took the files' place in memory in between must be ordinary memory.
    long room = 24 << 20;
    unsigned char *memory = malloc(room);
    if (!memory) return -1;
    memset(memory, 0xA5, room);
    for (int i = 0; i < count; i++) wrong += files[i].sum != sum_of(files[i].path, i % 2 == 0);
    for (long i = 0; i < room; i++) wrong += memory[i] != 0xA5;
    return wrong;
}
