# CPython's side of many_processes.rs, which runs it: messages between several processes through a multiprocessing.Queue.
#
#   many_processes_peer.py CPU_A CPU_B PAIRS COUNT
#
# As many_processes_peer.c does it: PAIRS putters send COUNT numbers each, as many getters receive as many each; prints the
# nanoseconds of a message, from when all are ready until the last getter has ended.
import multiprocessing
import multiprocessing.connection
import os
import sys
import time

CPUS = [int(cpu) for cpu in sys.argv[1:3]]
PAIRS, COUNT = int(sys.argv[3]), int(sys.argv[4])
MOST = 1024


def begin():
    began.value = time.monotonic_ns()


def run(index):
    if CPUS[index % 2] >= 0:
        os.sched_setaffinity(0, [CPUS[index % 2]])
    ready.wait()
    if index < PAIRS:
        for number in range(index << 32, (index << 32) + COUNT):
            queue.put(number)
        return
    following, total = [0] * PAIRS, 0
    for _ in range(COUNT):
        number = queue.get()
        sender, place = number >> 32, number & 0xFFFFFFFF
        if place < following[sender]:
            sys.exit("out of order")
        following[sender] = place + 1
        total += number
    ends[index - PAIRS], sums[index - PAIRS] = time.monotonic_ns(), total


context = multiprocessing.get_context("fork")
queue = context.Queue(MOST)
began = context.Value("q", 0)
ends, sums = context.Array("q", PAIRS), context.Array("q", PAIRS)
ready = context.Barrier(2 * PAIRS, action=begin)
children = [context.Process(target=run, args=(index,), daemon=True) for index in range(2 * PAIRS)]
for child in children:
    child.start()
left = {child.sentinel: child for child in children}
while left:
    for sentinel in multiprocessing.connection.wait(list(left)):
        child = left.pop(sentinel)
        child.join()
        if child.exitcode != 0:
            sys.exit("a process failed")  # and the others, which would wait for it, are ended
expected = sum((sender << 32) * COUNT + COUNT * (COUNT - 1) // 2 for sender in range(PAIRS))
if sum(sums) != expected:
    sys.exit("the sum is wrong")
print((max(ends) - began.value) / (PAIRS * COUNT))
