/* The pthread side of against_pthread.rs, which compiles and runs it; the loops here and there are meant to be the same.
 *
 *   pthread_peer CPU_A CPU_B uncontended|count|time normal|robust near|apart AMOUNT
 *
 * AMOUNT is iterations (uncontended), increments of each process (count) or milliseconds (time); a negative CPU pins nothing.
 * Prints ns per iteration and the smaller share of the work.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096 }; /* a page: our regions do not share one either */

struct shared {
    pthread_mutex_t mutex;
    uint64_t near; /* in the line of the mutex */
    _Alignas(LINE) uint64_t apart;
    _Alignas(LINE) atomic_uint go;
    _Alignas(LINE) atomic_uint stop;
    struct {
        _Alignas(LINE) atomic_uint ready;
        uint64_t done, ns;
    } side[2];
};

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pin(int cpu) {
    cpu_set_t set;
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static int die(const char *what) {
    perror(what);
    return 1;
}

static void contend(struct shared *s, int me, volatile uint64_t *value, uint64_t limit) {
    atomic_store(&s->side[me].ready, 1);
    while (!atomic_load_explicit(&s->go, memory_order_relaxed)) relax();
    uint64_t start = now(), done = 0;
    while (done < limit && !atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        pthread_mutex_lock(&s->mutex);
        *value += 1;
        pthread_mutex_unlock(&s->mutex);
        done++;
    }
    s->side[me].ns = now() - start;
    s->side[me].done = done;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    int cpu[2] = {atoi(argv[1]), atoi(argv[2])};
    int uncontended = !strcmp(argv[3], "uncontended"), timed = !strcmp(argv[3], "time");
    int robust = !strcmp(argv[4], "robust"), apart = !strcmp(argv[5], "apart");
    uint64_t amount = strtoull(argv[6], NULL, 10);

    struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED) return die("mmap");
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL);
    if (robust) pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&s->mutex, &attr);

    if (uncontended) {
        pin(cpu[0]);
        for (uint64_t i = 0; i < amount / 8; i++) { /* warm */
            pthread_mutex_lock(&s->mutex);
            pthread_mutex_unlock(&s->mutex);
        }
        uint64_t start = now();
        for (uint64_t i = 0; i < amount; i++) {
            pthread_mutex_lock(&s->mutex);
            pthread_mutex_unlock(&s->mutex);
        }
        printf("%f 1\n", (double)(now() - start) / (double)amount);
        return 0;
    }

    uint64_t *value = apart ? &s->apart : &s->near;
    pid_t child[2];
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        if (child[i] < 0) { /* the first child must not spin for ever */
            atomic_store(&s->stop, 1);
            atomic_store(&s->go, 1);
            return die("fork");
        }
        if (child[i] == 0) {
            pin(cpu[i]);
            contend(s, i, value, timed ? UINT64_MAX : amount);
            _exit(0);
        }
    }
    while (!atomic_load(&s->side[0].ready) || !atomic_load(&s->side[1].ready)) usleep(100);
    atomic_store(&s->go, 1);
    if (timed) {
        struct timespec t = {(time_t)(amount / 1000), (long)(amount % 1000) * 1000000};
        nanosleep(&t, NULL);
        atomic_store(&s->stop, 1);
    }
    for (int i = 0; i < 2; i++) {
        int status;
        if (waitpid(child[i], &status, 0) < 0 || status != 0) return 1;
    }
    uint64_t a = s->side[0].done, b = s->side[1].done;
    if (*value != a + b) return fprintf(stderr, "the value is wrong\n"), 1;
    uint64_t ns = s->side[0].ns > s->side[1].ns ? s->side[0].ns : s->side[1].ns;
    printf("%f %f\n", (double)ns / (double)(a + b), (double)(a < b ? a : b) / (double)(a + b));
    return 0;
}
