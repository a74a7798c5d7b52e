// Big buffers: zeroed, on huge pages where the system has them.
#include <stdlib.h>
#include <string.h>
#if defined __linux__
#include <sys/mman.h>
#endif
#if defined _WIN32
#include <malloc.h>
#endif
#include "table.h"

enum { ALIGN = 64, PAGE = 1 << 16, HUGE_PAGE = 2 << 20 }; // PAGE: the largest that Linux has

void *nst_alloc(size_t bytes) {
#if defined __linux__
    if (bytes >= HUGE_PAGE) {
        // One huge page more, and the ends that miss the alignment given back.
        size_t pages = (bytes + PAGE - 1) / PAGE * PAGE;
        char *p = mmap(0, pages + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
        if (p == MAP_FAILED) return 0;
        size_t head = -(uintptr_t)p % HUGE_PAGE, tail = HUGE_PAGE - head;
        if (head) munmap(p, head);
        if (tail) munmap(p + head + pages, tail);
        madvise(p + head, pages, MADV_HUGEPAGE);
        return p + head;
    }
#endif
    void *p = 0;
#if defined _WIN32
    p = _aligned_malloc(bytes, ALIGN);
    if (!p) return 0;
#else
    if (posix_memalign(&p, ALIGN, bytes)) return 0;
#endif
    return memset(p, 0, bytes);
}

void nst_free(void *p, size_t bytes) {
#if defined __linux__
    if (bytes >= HUGE_PAGE) {
        munmap(p, (bytes + PAGE - 1) / PAGE * PAGE);
        return;
    }
#endif
#if defined _WIN32
    _aligned_free(p);
#else
    free(p);
#endif
}
