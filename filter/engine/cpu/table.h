// What the kernels offer to Go: one table of function pointers for each
// instruction set.
#ifndef NST_TABLE_H
#define NST_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum epilogue {
    GRADIENT,      // scale · y
    RELU,          // max(0, y + bias), and the mask of what is positive
    RELU_AVERAGE,  // the same, then 2×2 average pooling
    RELU_MAXIMUM,  // the same, then 2×2 max pooling; the mask marks the winners
};

// A 3×3 convolution by Winograd's F(4×4,3×3), of the input (in, h, w) with pad
// zeros around it, to (out, h+2·pad−2, w+2·pad−2).
struct conv {
    const float *src;
    const void *gate; // mask over (in, h, w) applied to src, or NULL
    float *dst;
    void *mask;        // written by the ReLU epilogues
    const void *u;     // transformed weights
    const float *bias; // (out); unused by GRADIENT
    int in, out;       // padded channels: multiples of VL and of 2·VL
    int stored;        // the leading channels of out that dst has, a multiple of VL
    int h, w, pad;
    int unpool; // src is (in, h/2, w/2); each value stands for its 2×2 window
    int epilogue;
    float scale;
    int tiles, tile_count; // 4×4 output tiles for each block, and in all
};

struct adam {
    float rate, beta1, beta2, gain1, gain2; // gain: 1 − beta
    float epsilon, correct1, correct2, average;
    int clamp;
};

// A part of the picture (3, height, width): h rows of w pixels, the first at (y, x).
struct window {
    int height, width;
    int y, x, h, w;
};

// The first convolution, of a window of the picture x (3, height, width).
struct first {
    const float *x;
    float *act;        // (out, h, w), after the ReLU
    void *mask;
    const float *dact; // gradient at act
    float *dx;         // gets the gradient added; that of what is outside the window is lost
    const float *u;    // [out/2VL][27][2VL]: 3 rows of 3 places of 3 channels
    const float *bias; // (out)
    float mean[3], std[3];
    int out;           // padded
    struct window area;
};

struct kernels {
    int vl, rows, factor_bytes; // factor: an element of u

    // u: [36][out/2VL][in][2VL] floats, or [36][out/2VL][in/2][2VL][2] bfloat16, from
    // w (O, I, 3, 3): forward, or rotated and transposed for the gradient. Does the
    // panel of 2·VL outputs.
    void (*transform_weights)(void *u, const float *w, int o, int i, int out, int in,
                              int backward, int panel);
    // Rows y0 … y1−1 of a window; work holds 3·(out+3)·(w+32) floats.
    void (*first_forward)(const struct first *f, int y0, int y1, float *work);
    void (*first_back)(const struct first *f, int y0, int y1, float *work);
    // conv does block number block; work holds 36·tiles·(in+out) floats and slack.
    void (*conv)(const struct conv *c, int block, float *work);

    // 2×2 pooling of VL channels of src (h, w) to dst (h/2, w/2), and its
    // gradient, which finds the maximum in src again.
    void (*pool)(float *dst, const float *src, int h, int w, int maximum);
    void (*unpool)(float *dsrc, const float *ddst, const float *src, int h, int w, int maximum);

    // Over positions p0 … p0+n−1, each with its weight of the n in share, NULL for 1:
    // Σ share a aᵀ is added to the upper triangle of gram (c, c) in 2VL×2VL blocks,
    // Σ share a to sum (c); work, for shares alone, holds c·256 floats.
    void (*gram)(double *gram, double *sum, const float *a, const float *share, int c, int64_t p,
                 int64_t p0, int n, float *work);
    // md = share·M·(a − target), returns Σ (a − target)ᵀ md; m packed or NULL for I.
    // target has tp positions and begins at t0.
    double (*content)(float *md, const float *a, const float *share, const float *target,
                      const float *m, int c, int64_t p, int64_t p0, int n, int64_t tp, int64_t t0,
                      float *work);
    // da += share·(style·a + mean) + content·md; style packed; all three may be NULL.
    void (*add_gradient)(float *da, const float *a, const float *share, const float *style,
                         const float *mean, const float *md, float content, int c, int64_t p,
                         int64_t p0, int n, float *work);

    // Matrices for gemm: panels of b (k, n) are [N/2VL][K][2VL], rows of a (m, k)
    // are [K/VL][m][VL]; both padded with zeros to a multiple of 2·VL.
    void (*pack_panels)(float *u, const float *b, int k, int n, float scale);
    void (*pack_rows)(float *v, const float *a, int m, int k);
    void (*unpack_rows)(float *c, const float *v, int m, int n, int row0, int rows);
    // m = v·u (or += with add) for rows rows; vstep, mstep: floats between blocks
    // of VL channels.
    void (*gemm)(const float *u, const float *v, float *m, int k, int n, int rows,
                 int64_t vstep, int64_t mstep, int add);

    // steps times 2·rows multiply-adds of vectors in registers.
    float (*peak)(int64_t steps);
    double (*dot)(const float *a, const float *b, int64_t n);
    void (*combine)(float *y, const float *const *x, const float *by, int terms, int64_t from, int64_t n);
    void (*adam)(float *x, float *m, float *v, float *mean, const float *dx,
                 const struct adam *s, int64_t n);
    // Rows y0 … y1−1 of one plane: returns Σ of squared differences to the right
    // and downwards; dx += scale times its gradient.
    double (*tv)(float *dx, const float *x, int h, int w, int y0, int y1, float scale);
    // The same of pairs that count by the product of their weights in mask (h, w).
    double (*tv_masked)(float *dx, const float *x, const float *mask, int h, int w, int y0, int y1,
                        float scale);
    // Returns Σ z², z the distance of x from [0,1], above it positive; dx += scale·z.
    double (*gamut)(float *dx, const float *x, float scale, int64_t n);
    // Returns Σ w (x−prior)²; dx += scale·w·(x−prior).
    double (*prior)(float *dx, const float *x, const float *prior, const float *w, float scale,
                    int64_t n);

    // One plane's share of engine.Evaluator's Enlarge, rows y0 … y1−1 of dst, and of
    // EnlargeAdjoint, rows k0 … k1−1 of dlow; (h, w) is the larger plane. tx and ty
    // hold the weights of a row and of a column of n samples from m = ⌈n/2⌉:
    // [5][m+2], by position k of the smaller one, from −1 to m; those of k−1, k and
    // k+1 in sample 2k, then those of k and k+1 in sample 2k+1. All else is 0.
    void (*enlarge)(float *dst, const float *base, float a, const float *low, const float *tx,
                    const float *ty, int h, int w, int y0, int y1);
    void (*enlarge_adjoint)(float *dlow, const float *d, const float *tx, const float *ty, int h,
                            int w, int k0, int k1);
};

#if defined __x86_64__
extern const struct kernels nst_avx512, nst_avx512_bf16, nst_avx2;
#elif defined __aarch64__
extern const struct kernels nst_neon;
#endif
extern const struct kernels nst_plain, nst_wide, nst_wide_bf16;

// memory.c
void *nst_alloc(size_t bytes); // aligned, zeroed, huge pages where there are any; NULL if there is none
void nst_free(void *p, size_t bytes);

#endif
