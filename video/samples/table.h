// What the loops in C offer to Go: one table of function pointers for each
// instruction set.
#ifndef SAMPLES_TABLE_H
#define SAMPLES_TABLE_H

#include <stdint.h>

struct from_ycc {
    float y0, c0, y, rv, gu, gv, bu;
};

struct to_ycc {
    float r, g, b, to_b, to_r;
};

struct rows {
    void (*load8)(float *dst, const uint8_t *src, float scale, int n);
    void (*load16)(float *dst, const uint16_t *src, float scale, int n);
    void (*mix)(float *dst, const float *a, const float *b, float share, int n);
    void (*centred)(float *dst, const float *src, int w);
    void (*cosited)(float *dst, const float *src, int w);
    void (*rgb)(float *r, float *g, float *b, const float *u, const float *v, struct from_ycc k, int n);
    void (*subtract)(float *own, const float *f, int n);
    void (*luma)(float *r, float *g, float *b, struct to_ycc k, int n);
    void (*add_centred)(float *sum, const float *row, float share, int w);
    void (*add_cosited)(float *sum, const float *row, float share, int w);
    void (*add8)(uint8_t *dst, const uint8_t *src, const float *change, float scale, int32_t low, int32_t high, int n);
    void (*add16)(uint16_t *dst, const uint16_t *src, const float *change, float scale, int32_t low, int32_t high, int n);
    void (*curve)(float *row, const float *c, float knots, int n);
};

#if defined __x86_64__
extern const struct rows samples_avx2;
#endif
extern const struct rows samples_plain;

#endif
