// A stack to switch to and back from.
#pragma once

#ifdef __x86_64__
// The callee-saved registers are on the stack; the rest the caller has saved. It ends in a
// jump, since a return to another stack than the call's is always predicted wrong.
struct Context { void *sp; };

extern "C" void switch_context(Context *from, const Context *to);
__asm__(R"(.text
.weak switch_context
switch_context:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rdx
  jmp *%rdx
)");

static inline void make_context(Context *c, char *stack, unsigned long bytes, void (*entry)()) {
  void **sp = (void **)(stack + bytes);
  *--sp = nullptr; // keeps the stack aligned as after a call
  *--sp = (void *)entry;
  for (int i = 0; i < 6; i++) *--sp = nullptr;
  c->sp = sp;
}
#else
#include <ucontext.h>

struct Context { ucontext_t u; };

static inline void switch_context(Context *from, const Context *to) { swapcontext(&from->u, &to->u); }

static inline void make_context(Context *c, char *stack, unsigned long bytes, void (*entry)()) {
  getcontext(&c->u);
  c->u.uc_stack.ss_sp = stack;
  c->u.uc_stack.ss_size = bytes;
  makecontext(&c->u, entry, 0);
}
#endif
