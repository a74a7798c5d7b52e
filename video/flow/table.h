// What the kernels offer to Go: one table of function pointers for each
// instruction set. What they do is said beside goKernels' methods.
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

// h rows of w samples, the first at at, 16 more readable on every side.
struct plane {
    float *at;
    int w, h, stride;
};

struct level {
    struct plane luma, dx, dy;
};

struct search {
    struct level from, to;
    struct plane u, v; // where the search starts; densify's result
    struct plane sum;  // densify's scratch
    float *gu, *gv;    // (rows, cols)
    int cols, rows, stride, iterations;
    float smallest_step, farthest, flattest;
};

// The samples of one colour begin at [0] or [1], rows are stride apart.
struct system {
    float *u[2], *v[2], *d11[2], *d22[2], *a12[2], *b1[2], *b2[2], *right[2], *below[2];
    int w, h, stride;
    float relaxation;
};

struct row3 {
    struct plane x, y, t;
};

struct refine {
    struct plane i0, i1, u, v, u0, v0, mean, change, gx, gy, right, below;
    struct row3 rows[3];
    float delta, gamma, alpha, zeta2, epsilon2, tiny;
};

// Planes of h rows of w, one after the other; dst and src have no margins.
struct warp {
    float *dst;
    const float *src, *u, *v, *where; // where: 0 for everywhere
    const struct plane *splines;
    int planes;
    float unknown;
    float quintic[6][6]; // [power][tap]
};

struct kernels {
    void (*luma)(struct plane dst, const float *r, const float *g, const float *b, int y0, int y1);
    void (*halve)(struct plane dst, struct plane src, int y0, int y1);
    void (*differentiate)(const struct level *l, int y0, int y1);
    void (*grow)(float *dst, int stride, int w, struct plane src, int y0, int y1);
    void (*search)(const struct search *s, int j0, int j1);
    void (*densify)(const struct search *s, int y0, int y1);
    void (*move)(const struct refine *r, int y0, int y1);
    void (*linearise1)(const struct refine *r, int y0, int y1);
    void (*linearise2)(const struct refine *r, int y0, int y1);
    void (*weigh)(const struct refine *r, int y0, int y1);
    void (*assemble)(const struct refine *r, const struct system *s, int y0, int y1);
    void (*load)(const struct refine *r, const struct system *s, int y0, int y1);
    void (*relax)(const struct system *s, int c, int y0, int y1);
    void (*store)(const struct refine *r, const struct system *s, int y0, int y1);
    void (*filter_across)(struct plane c, float z, const float *start, int y0, int y1);
    void (*filter_down)(struct plane c, float z, const float *start, int x0, int x1);
    void (*warp)(const struct warp *m, int y0, int y1);
    void (*box_across)(float *dst, const float *src, int w, int h, int r);
    void (*box_down)(float *dst, const float *src, int w, int h, int r, int n);
};

#if defined __x86_64__
extern const struct kernels flow_avx2;
#endif
extern const struct kernels flow_plain;

#endif
