// Runs the blocks of a launch: each thread on a stack of its own, one after another, each
// up to where it waits for others.
#include "block.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "fiber.h"

__thread Block *block_of_thread;

namespace {

constexpr unsigned warp_lanes = 32, most_threads = 1024;
constexpr size_t stack_bytes = 64 << 10;
// Not a power of two, so that stacks do not share the cache's sets.
constexpr size_t stack_stride = stack_bytes + 320;
// At each stack's far end.
constexpr uint64_t stack_mark = 0x57ac6e4d57ac6e4d;
constexpr size_t static_limit = 48 << 10, dynamic_limit = 228 << 10;

struct Fiber {
  Context context;
  char *stack;
};

enum State : unsigned char { ready, in_warp, in_block, done };

struct Thread {
  Fiber *fiber; // from its first step to its last
  Size3 index;
};

struct Warp {
  unsigned arrived;
  size_t bytes;
  unsigned round; // exchanges that are over
  alignas(16) char values[2][warp_lanes * Block::most_exchanged];
};

struct Site {
  const void *site;
  char *memory;
};

char *map(size_t bytes) {
  void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) abort();
  return (char *)p;
}

class Worker : public Block {
public:
  Worker() : stacks(map(most_threads * stack_stride)), memory(map(static_limit + dynamic_limit)) {
    dynamic = memory + static_limit;
    for (unsigned i = most_threads; i--;) {
      Fiber &f = fibers[i];
      f.stack = stacks + i * stack_stride;
      make_context(&f.context, f.stack, stack_bytes, entry);
      memcpy(f.stack, &stack_mark, sizeof stack_mark);
      idle[idle_fibers++] = &f;
    }
  }

  void start(const Kernel &k, void **values, Size3 grid_size, Size3 block_size) {
    kernel = &k;
    parameters = values;
    grid = grid_size;
    size = block_size;
    n = 0;
    for (unsigned z = 0; z < size.z; z++)
      for (unsigned y = 0; y < size.y; y++)
        for (unsigned x = 0; x < size.x; x++) threads[n++].index = {x, y, z};
  }

  void run_block(size_t dynamic_bytes) {
    sites.clear();
    static_used = 0;
    memset(dynamic, 0xFF, dynamic_bytes);
    memset(state, ready, n);
    for (unsigned i = 0; i < n; i += warp_lanes) warps[i / warp_lanes].arrived = 0;
    for (;;) {
      for (unsigned i = 0; i < n; i++) {
        if (state[i] == ready) switch_context(&scheduler, take(i));
      }
      if (count(ready)) continue;
      if (unsigned some = count(in_warp)) die("%u threads of a block wait for the rest of their warp", some);
      unsigned some = count(in_block);
      if (!some) break;
      if (some != n) die("__syncthreads is reached by %u of %u threads", some, n);
      memset(state, ready, n);
    }
  }

  // end sees to it that no thread wrote beyond its stack.
  void end() {
    most_used = std::max(most_used, n);
    for (unsigned i = 0; i < most_used; i++)
      if (memcmp(fibers[i].stack, &stack_mark, sizeof stack_mark)) die("a thread's stack is full");
  }

  // wait goes on with the next thread where that can run, otherwise with the scheduler.
  void wait(State what) {
    Context *here = &threads[number].fiber->context;
    state[number] = what;
    unsigned next = number + 1;
    switch_context(here, next < n && state[next] == ready ? take(next) : &scheduler);
  }

  const char *exchange(const void *value, size_t bytes, void (*together)(void *)) {
    Warp &w = warps[number / warp_lanes];
    unsigned first = number / warp_lanes * warp_lanes;
    if (w.arrived && w.bytes != bytes) die("lanes of a warp are at different exchanges");
    w.bytes = bytes;
    char *values = w.values[w.round & 1];
    if (bytes) memcpy(values + lane() * bytes, value, bytes);
    if (++w.arrived < warp_lanes) {
      wait(in_warp);
      return values;
    }
    if (together) together(values);
    w.arrived = 0;
    w.round++;
    memset(state + first, ready, warp_lanes);
    return values;
  }

  void *shared(const void *site, size_t bytes) {
    for (const Site &s : sites)
      if (s.site == site) return s.memory;
    char *p = memory + static_used;
    static_used += (bytes + 127) & ~(size_t)127;
    if (static_used > static_limit) die("more than 48 KiB of shared memory");
    memset(p, 0xFF, bytes);
    sites.push_back({site, p});
    return p;
  }

  template <class... A> [[noreturn]] void die(const char *format, A... a) const {
    fprintf(stderr, "test driver: kernel %s, block (%u, %u, %u): ", kernel->name, index.x, index.y, index.z);
    fprintf(stderr, format, a...);
    fputc('\n', stderr);
    abort();
  }

private:
  const Kernel *kernel;
  void **parameters;
  unsigned n; // threads of a block
  Context scheduler;
  char *stacks, *memory;
  size_t static_used;
  std::vector<Site> sites;
  Fiber fibers[most_threads], *idle[most_threads];
  unsigned idle_fibers = 0, most_used = 0;
  Thread threads[most_threads] = {};
  State state[most_threads];
  Warp warps[most_threads / warp_lanes] = {};

  unsigned count(State what) const {
    unsigned c = 0;
    for (unsigned i = 0; i < n; i++) c += state[i] == what;
    return c;
  }

  // take makes a thread the one that runs, on its fiber or a new one.
  const Context *take(unsigned i) {
    Thread &t = threads[i];
    number = i;
    thread = t.index;
    if (!t.fiber) t.fiber = idle[--idle_fibers];
    return &t.fiber->context;
  }

  // A fiber runs one thread after another. It may go on in another OS thread, so nothing
  // of this one is kept beyond work.
  static void entry() {
    for (;;) work();
  }

  __attribute__((noinline)) static void work() {
    Worker *w = static_cast<Worker *>(block_of_thread);
    w->kernel->run(w->parameters);
    Fiber *fiber = w->threads[w->number].fiber;
    w->threads[w->number].fiber = nullptr;
    w->state[w->number] = done;
    w->idle[w->idle_fibers++] = fiber;
    // The next thread takes this fiber, unless it has one.
    unsigned next = w->number + 1;
    if (next < w->n && w->state[next] == ready && !w->threads[next].fiber)
      w->take(next);
    else
      switch_context(&fiber->context, &w->scheduler);
  }
};

// Workers are kept, for their stacks' sake.
std::mutex workers_mutex;
std::vector<Worker *> free_workers;

Worker *take_worker() {
  std::lock_guard<std::mutex> lock(workers_mutex);
  if (free_workers.empty()) return new Worker;
  Worker *w = free_workers.back();
  free_workers.pop_back();
  return w;
}

void put_worker(Worker *w) {
  std::lock_guard<std::mutex> lock(workers_mutex);
  free_workers.push_back(w);
}

} // namespace

void Block::wait_for_block() { static_cast<Worker *>(this)->wait(in_block); }
const char *Block::exchange(const void *value, size_t bytes, void (*together)(void *)) {
  return static_cast<Worker *>(this)->exchange(value, bytes, together);
}
void *Block::shared(const void *site, size_t bytes) { return static_cast<Worker *>(this)->shared(site, bytes); }

void run_grid(const Kernel &kernel, Size3 grid, Size3 size, size_t dynamic, void **parameters) {
  size_t blocks = (size_t)grid.x * grid.y * grid.z;
  std::atomic<size_t> next{0};
  auto work = [&] {
    Worker *w = take_worker();
    block_of_thread = w;
    w->start(kernel, parameters, grid, size);
    for (size_t i; (i = next++) < blocks;) {
      w->index = {unsigned(i % grid.x), unsigned(i / grid.x % grid.y), unsigned(i / grid.x / grid.y)};
      w->run_block(dynamic);
    }
    w->end();
    block_of_thread = nullptr;
    put_worker(w);
  };
  // A launch of few threads is over before another OS thread starts.
  constexpr size_t few = 1024;
  size_t threads = blocks * size.x * size.y * size.z < few ? 1 : std::min<size_t>(blocks, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; i++) others.emplace_back(work);
  work();
  for (std::thread &t : others) t.join();
}
