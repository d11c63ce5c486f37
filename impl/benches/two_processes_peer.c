// What pipes between two processes are measured against: the least that does the job, and what the kernel has.
//
// two_processes_peer CPU CPU WHAT BYTES COUNT: prints the nanoseconds of a message, or of a round trip.
//
//   ring      1024 slots, head and tail on lines of their own, cached copies, a pause when empty or full, nothing else
//   batch     the same, 32 messages at a time
//   pipe      pipe(2), one write and one read (or as many as it takes) a message
//   answer    a message there and back through two of them
//   spinning  a message there and back through two such rings
//   sleeping  a word there and back, both sides asleep in futex(2) between
//   late      the same, but each side answers only when so many nanoseconds (in place of bytes) have passed; without those
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 1024
#define BATCH 32

struct ring {
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(128) char slots[];
};

static size_t bytes;
static long count;
static int cpus[2];
static double work;

static void *shared(size_t size) {
    void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) exit(2);
    memset(memory, 0, size);
    return memory;
}

static void pin(int side) {
    if (cpus[side] < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[side], &set);
    sched_setaffinity(0, sizeof set, &set);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void pause_once(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

struct side {
    struct ring *ring;
    uint64_t own, seen;
};

static void put(struct side *side, const char *message, long batch) {
    while (side->own + batch - side->seen > SLOTS) {
        side->seen = atomic_load_explicit(&side->ring->head, memory_order_acquire);
        if (side->own + batch - side->seen > SLOTS) pause_once();
    }
    for (long index = 0; index < batch; index++, side->own++)
        memcpy(side->ring->slots + side->own % SLOTS * bytes, message, bytes);
    atomic_store_explicit(&side->ring->tail, side->own, memory_order_release);
}

static long get(struct side *side, char *message, long most) {
    while (side->own == side->seen) {
        side->seen = atomic_load_explicit(&side->ring->tail, memory_order_acquire);
        if (side->own == side->seen) pause_once();
    }
    long number = side->seen - side->own < (uint64_t)most ? (long)(side->seen - side->own) : most;
    for (long index = 0; index < number; index++, side->own++) {
        memcpy(message, side->ring->slots + side->own % SLOTS * bytes, bytes);
        __asm__ volatile("" ::"r"(message) : "memory");
    }
    atomic_store_explicit(&side->ring->head, side->own, memory_order_release);
    return number;
}

static void whole(int file, char *message, int writes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t moved = writes ? write(file, message + done, bytes - done) : read(file, message + done, bytes - done);
        if (moved <= 0) exit(3);
        done += moved;
    }
}

static void wake(_Atomic uint32_t *word, uint32_t to) {
    if (work > 0)
        for (double start = now(); now() - start < work;) {}
    atomic_store(word, to);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0);
}

static void flip(_Atomic uint32_t *word, uint32_t from) {
    wake(word, from + 1);
    while (atomic_load(word) == from + 1) syscall(SYS_futex, word, FUTEX_WAIT, from + 1, 0, 0, 0);
}

int main(int arguments, char **argument) {
    if (arguments != 6) return 2;
    cpus[0] = atoi(argument[1]), cpus[1] = atoi(argument[2]);
    const char *what = argument[3];
    bytes = strtoul(argument[4], 0, 10), count = atol(argument[5]);
    size_t size = sizeof(struct ring) + SLOTS * bytes;
    int sleeping = !strcmp(what, "sleeping") || !strcmp(what, "late");
    if (!strcmp(what, "late")) work = bytes;
    int rings = !strcmp(what, "ring") || !strcmp(what, "batch") || !strcmp(what, "spinning");
    struct side there = {rings ? shared(size) : 0, 0, 0}, back = {rings ? shared(size) : 0, 0, 0};
    _Atomic uint32_t *word = shared(4096);
    char *message = malloc(bytes + 1);
    memset(message, 1, bytes + 1);
    int files[2], answers[2];
    if (!message || pipe(files) || pipe(answers)) return 2;
    long batch = strcmp(what, "batch") ? 1 : BATCH;
    pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) { // the sender, or whoever answers
        pin(0);
        if (!strcmp(what, "pipe")) {
            for (long index = 0; index < count; index++) whole(files[1], message, 1);
        } else if (!strcmp(what, "answer")) {
            for (long index = 0; index < count; index++) whole(files[0], message, 0), whole(answers[1], message, 1);
        } else if (!strcmp(what, "spinning")) {
            for (long index = 0; index < count; index++) get(&there, message, 1), put(&back, message, 1);
        } else if (sleeping) {
            while (atomic_load(word) == 0) syscall(SYS_futex, word, FUTEX_WAIT, 0, 0, 0, 0);
            for (long index = 0; index + 1 < count; index++) flip(word, 2 * index + 1);
            wake(word, 2 * count);
        } else {
            for (long index = 0; index < count; index += batch) put(&there, message, batch);
        }
        _exit(0);
    }
    pin(1);
    double start;
    long first = 1;
    if (!strcmp(what, "pipe")) {
        whole(files[0], message, 0);
        start = now();
        for (long index = 1; index < count; index++) whole(files[0], message, 0);
    } else if (!strcmp(what, "answer")) {
        whole(files[1], message, 1), whole(answers[0], message, 0);
        start = now();
        for (long index = 1; index < count; index++) whole(files[1], message, 1), whole(answers[0], message, 0);
    } else if (!strcmp(what, "spinning")) {
        put(&there, message, 1), get(&back, message, 1);
        start = now();
        for (long index = 1; index < count; index++) put(&there, message, 1), get(&back, message, 1);
    } else if (sleeping) {
        flip(word, 0);
        start = now();
        for (long index = 1; index < count; index++) flip(word, 2 * index);
    } else {
        first = get(&there, message, batch);
        start = now();
        for (long received = first; received < count;) received += get(&there, message, batch);
    }
    printf("%f\n", (now() - start) / (count - first) - 2 * work);
    int status;
    return waitpid(child, &status, 0) != child || status;
}
