// One block of a launch: its threads' stacks, barriers and shared memory.
#pragma once

#include <cstddef>

struct Size3 { unsigned x, y, z; };

// A kernel of the test driver.
struct Kernel {
  const char *name;
  int parameters;
  void (*run)(void **values);
};

// Registered makes a kernel known by its name (launch.cc).
struct Registered {
  Registered(const char *name, int parameters, void (*run)(void **));
};

class Block {
public:
  enum { most_exchanged = 64 };

  // Where the thread that runs is, and what launch it is of.
  Size3 thread, index, size, grid;
  char *dynamic; // dynamic shared memory

  void wait_for_block();

  // exchange waits for all of a warp and returns its lanes' values, bytes apart, after
  // together, unless it is 0, was called once with them. They stay until the lane's second
  // next exchange.
  const char *exchange(const void *value, size_t bytes, void (*together)(void *values) = nullptr);

  // shared returns the block's memory of a site in a kernel, the same for all threads.
  void *shared(const void *site, size_t bytes);

  int lane() const { return number & 31; }

protected:
  unsigned number; // of the thread that runs
};

// The block that this OS thread works on.
extern __thread Block *block_of_thread __attribute__((tls_model("initial-exec")));

// run_grid runs all blocks of a launch, several at a time.
void run_grid(const Kernel &kernel, Size3 grid, Size3 size, size_t dynamic, void **parameters);
