/* The peer of many_processes.rs: messages between several processes, by one lock for all and two conditions.
 *
 *   many_processes_peer CPU_A CPU_B PAIRS COUNT
 *
 * PAIRS putters send COUNT numbers each, as many getters receive as many each; a negative CPU pins nothing. Prints the
 * nanoseconds of a message, from when all are ready until the last getter has ended. Without arguments: whose queue it is.
 *
 * It is Boost's message_queue, if this is compiled as C++ where that is installed. Else it is a stand-in for it, which has
 * its structure and none of its code: in shared memory one mutex and two conditions, messages of a fixed size that are all
 * there from the beginning, and a ring of offsets of them, in order of priority, then of age. Whoever sends or receives does
 * all of it inside the mutex, wakes somebody there too, and only if somebody has said that it is blocked. (So does Boost 1.74.
 * It looks for the place of a message by bisection; here all have priority 0, and the place is the first.)
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__cplusplus) && defined(__has_include)
#if __has_include(<boost/interprocess/ipc/message_queue.hpp>)
#define BOOST
#include <boost/interprocess/ipc/message_queue.hpp>
#endif
#endif

enum { MOST = 1024, PAIRS = 2 };

static void *shared(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) perror("mmap"), exit(1);
    return memory;
}

#ifdef BOOST

static const char *const whose = "the message_queue that is installed";
static boost::interprocess::message_queue *queue;

static void create(void) {
    using namespace boost::interprocess;
    char name[64];
    snprintf(name, sizeof name, "procession-bench-%d", getpid());
    queue = new message_queue(create_only, name, MOST, sizeof(uint64_t));
    message_queue::remove(name); /* those who are forked have it all the same */
}

static void send_number(uint64_t number) { queue->send(&number, sizeof number, 0); }

static uint64_t receive_number(void) {
    uint64_t number = 0;
    size_t size;
    unsigned priority;
    queue->receive(&number, sizeof number, size, priority);
    return number;
}

#else

static const char *const whose = "not installed; a stand-in";

struct message {
    size_t length;
    unsigned priority;
    uint64_t data;
};

static struct queue {
    /* Of the ring, so many from `first` on are in use: the lowest and newest comes first, what is received next comes last. */
    size_t count, first;
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    size_t blocked_receivers, blocked_senders;
    ptrdiff_t ring[MOST]; /* where the messages are, from the beginning of this */
    struct message messages[MOST];
} *queue;

static struct message *at(size_t place) { return (struct message *)((char *)queue + queue->ring[place % MOST]); }

static void create(void) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    queue = (struct queue *)shared(sizeof *queue);
    pthread_mutexattr_init(&mutex), pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&condition), pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&queue->mutex, &mutex);
    pthread_cond_init(&queue->not_empty, &condition), pthread_cond_init(&queue->not_full, &condition);
    for (size_t i = 0; i < MOST; i++) queue->ring[i] = (char *)&queue->messages[i] - (char *)queue;
}

/* Takes a free message into the ring, behind those of its priority or a higher one. */
static struct message *insert(unsigned priority) {
    size_t place = queue->first = (queue->first + MOST - 1) % MOST;
    ptrdiff_t offset = queue->ring[place];
    for (size_t moved = 0; moved < queue->count && at(place + 1)->priority < priority; moved++) {
        queue->ring[place] = queue->ring[(place + 1) % MOST];
        place = (place + 1) % MOST;
    }
    queue->ring[place] = offset;
    queue->count++;
    return at(place);
}

static void put(const void *data, size_t length, unsigned priority) {
    pthread_mutex_lock(&queue->mutex);
    if (queue->count == MOST) {
        queue->blocked_senders++;
        do pthread_cond_wait(&queue->not_full, &queue->mutex);
        while (queue->count == MOST);
        queue->blocked_senders--;
    }
    int notify = queue->blocked_receivers != 0;
    struct message *message = insert(priority);
    message->priority = priority, message->length = length;
    memcpy(&message->data, data, length);
    if (notify) pthread_cond_signal(&queue->not_empty);
    pthread_mutex_unlock(&queue->mutex);
}

static size_t get(void *data, unsigned *priority) {
    pthread_mutex_lock(&queue->mutex);
    if (queue->count == 0) {
        queue->blocked_receivers++;
        do pthread_cond_wait(&queue->not_empty, &queue->mutex);
        while (queue->count == 0);
        queue->blocked_receivers--;
    }
    int notify = queue->blocked_senders != 0;
    struct message *message = at(queue->first + queue->count - 1);
    size_t length = message->length;
    *priority = message->priority;
    message->length = 0, message->priority = 0;
    memcpy(data, &message->data, length);
    queue->count--;
    if (notify) pthread_cond_signal(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
    return length;
}

static void send_number(uint64_t number) { put(&number, sizeof number, 0); }

static uint64_t receive_number(void) {
    uint64_t number = 0;
    unsigned priority;
    get(&number, &priority);
    return number;
}

#endif

/* What all of them share beside the queue. */
static struct course {
    int ready, ended;
    uint64_t began, end, sum;
} *course;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pin(int cpu) {
    cpu_set_t set;
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int receive_all(int pairs, uint64_t count) {
    uint64_t next[PAIRS] = {0}, sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = receive_number(), sender = number >> 32, index = (uint32_t)number;
        if (sender >= (uint64_t)pairs || index < next[sender]) return 0;
        next[sender] = index + 1, sum += number;
    }
    __atomic_add_fetch(&course->sum, sum, __ATOMIC_SEQ_CST);
    return 1;
}

static int run(int index, int pairs, uint64_t count) {
    if (__atomic_add_fetch(&course->ready, 1, __ATOMIC_SEQ_CST) == 2 * pairs)
        __atomic_store_n(&course->began, now(), __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&course->began, __ATOMIC_SEQ_CST)) sched_yield();
    if (index < pairs) {
        for (uint64_t i = 0; i < count; i++) send_number((uint64_t)index << 32 | i);
        return 0;
    }
    if (!receive_all(pairs, count)) return 3;
    if (__atomic_add_fetch(&course->ended, 1, __ATOMIC_SEQ_CST) == pairs) course->end = now();
    return 0;
}

/* For one that has failed the others would wait for ever. */
static int stop(const pid_t *children, int count) {
    for (int i = 0; i < count; i++) kill(children[i], SIGKILL);
    return 1;
}

int main(int argc, char **argv) {
    if (argc == 1) return puts(whose), 0;
    if (argc != 5) return 2;
    int cpu[2] = {atoi(argv[1]), atoi(argv[2])}, pairs = atoi(argv[3]);
    uint64_t count = strtoull(argv[4], NULL, 10), sum = 0;
    if (pairs < 1 || pairs > PAIRS) return 2;
    course = (struct course *)shared(sizeof *course);
    create();
    pid_t child[2 * PAIRS];
    int children = 0, left;
    for (; children < 2 * pairs; children++) {
        child[children] = fork();
        if (child[children] < 0) return perror("fork"), stop(child, children);
        if (child[children] == 0) {
            pin(cpu[children % 2]);
            _exit(run(children, pairs, count));
        }
    }
    for (left = children; left > 0; left--) {
        int status;
        pid_t ended = wait(&status);
        for (int i = 0; i < left; i++)
            if (child[i] == ended) child[i] = child[left - 1];
        if (status) return fprintf(stderr, "a process failed\n"), stop(child, left - 1);
    }
    for (int sender = 0; sender < pairs; sender++)
        for (uint64_t i = 0; i < count; i++) sum += (uint64_t)sender << 32 | i;
    if (course->sum != sum) return fprintf(stderr, "the sum is wrong\n"), 1;
    printf("%f\n", (double)(course->end - course->began) / (double)(pairs * count));
    return 0;
}
