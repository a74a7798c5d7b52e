// Go cannot call a function pointer: one line for each slot of the table.
#ifndef NST_CALLS_H
#define NST_CALLS_H
#include "table.h"

typedef const struct kernels *K;

static inline void nst_transform_weights(K k, void *u, const float *w, int o, int i, int out, int in, int backward, int panel) { k->transform_weights(u, w, o, i, out, in, backward, panel); }
static inline void nst_first_forward(K k, const struct first *f, int y0, int y1, float *work) { k->first_forward(f, y0, y1, work); }
static inline void nst_first_back(K k, const struct first *f, int y0, int y1, float *work) { k->first_back(f, y0, y1, work); }
static inline void nst_conv(K k, const struct conv *c, int block, float *work) { k->conv(c, block, work); }
static inline void nst_pool(K k, float *dst, const float *src, int h, int w, int maximum) { k->pool(dst, src, h, w, maximum); }
static inline void nst_unpool(K k, float *dsrc, const float *ddst, const float *src, int h, int w, int maximum) { k->unpool(dsrc, ddst, src, h, w, maximum); }
static inline void nst_gram(K k, double *gram, double *sum, const float *a, const float *share, int c, int64_t p, int64_t p0, int n, float *work) { k->gram(gram, sum, a, share, c, p, p0, n, work); }
static inline double nst_content(K k, float *md, const float *a, const float *share, const float *target, const float *m, int c, int64_t p, int64_t p0, int n, int64_t tp, int64_t t0, float *work) { return k->content(md, a, share, target, m, c, p, p0, n, tp, t0, work); }
static inline void nst_add_gradient(K k, float *da, const float *a, const float *share, const float *style, const float *mean, const float *md, float content, int c, int64_t p, int64_t p0, int n, float *work) { k->add_gradient(da, a, share, style, mean, md, content, c, p, p0, n, work); }
static inline void nst_pack_panels(K k, float *u, const float *b, int kk, int n, float scale) { k->pack_panels(u, b, kk, n, scale); }
static inline void nst_pack_rows(K k, float *v, const float *a, int m, int kk) { k->pack_rows(v, a, m, kk); }
static inline void nst_unpack_rows(K k, float *c, const float *v, int m, int n, int row0, int rows) { k->unpack_rows(c, v, m, n, row0, rows); }
static inline void nst_gemm(K k, const float *u, const float *v, float *m, int kk, int n, int rows, int64_t vstep, int64_t mstep, int add) { k->gemm(u, v, m, kk, n, rows, vstep, mstep, add); }
static inline float nst_peak(K k, int64_t steps) { return k->peak(steps); }
static inline double nst_dot(K k, const float *a, const float *b, int64_t n) { return k->dot(a, b, n); }
static inline void nst_combine(K k, float *y, const float *const *x, const float *by, int terms, int64_t from, int64_t n) { k->combine(y, x, by, terms, from, n); }
static inline void nst_adam(K k, float *x, float *m, float *v, float *mean, const float *dx, const struct adam *s, int64_t n) { k->adam(x, m, v, mean, dx, s, n); }
static inline double nst_tv(K k, float *dx, const float *x, int h, int w, int y0, int y1, float scale) { return k->tv(dx, x, h, w, y0, y1, scale); }
static inline double nst_tv_masked(K k, float *dx, const float *x, const float *mask, int h, int w, int y0, int y1, float scale) { return k->tv_masked(dx, x, mask, h, w, y0, y1, scale); }
static inline double nst_gamut(K k, float *dx, const float *x, float scale, int64_t n) { return k->gamut(dx, x, scale, n); }
static inline double nst_prior(K k, float *dx, const float *x, const float *prior, const float *w, float scale, int64_t n) { return k->prior(dx, x, prior, w, scale, n); }
static inline void nst_enlarge(K k, float *dst, const float *base, float a, const float *low, const float *tx, const float *ty, int h, int w, int y0, int y1) { k->enlarge(dst, base, a, low, tx, ty, h, w, y0, y1); }
static inline void nst_enlarge_adjoint(K k, float *dlow, const float *d, const float *tx, const float *ty, int h, int w, int k0, int k1) { k->enlarge_adjoint(dlow, d, tx, ty, h, w, k0, k1); }
#endif
