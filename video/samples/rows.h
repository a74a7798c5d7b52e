// The loops, written for the compiler to vectorise. Each rows_*.c defines ROWS and
// includes this file. What they do is said beside Rows in samples.go.

#include <stdint.h>
#include <string.h>
#include "table.h"

#define INLINE static inline __attribute__((always_inline))

INLINE float unit(float v) {
    v = v > 0 ? v : 0; // NaN, too
    return v < 1 ? v : 1;
}

INLINE int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

INLINE int32_t added(int32_t v, float change, int32_t low, int32_t high) {
    int32_t d = (int32_t)(change + (change < 0 ? -0.5f : 0.5f));
    return smaller(larger(v + d, smaller(v, low)), larger(v, high));
}

static void load8(float *restrict dst, const uint8_t *restrict src, float scale, int n) {
    for (int x = 0; x < n; x++) dst[x] = scale * src[x];
}

static void load16(float *restrict dst, const uint16_t *restrict src, float scale, int n) {
    for (int x = 0; x < n; x++) dst[x] = scale * src[x];
}

static void mix(float *restrict dst, const float *restrict a, const float *restrict b, float share, int n) {
    const float rest = 1 - share;
    for (int x = 0; x < n; x++) dst[x] = share * a[x] + rest * b[x];
}

static void centred(float *restrict dst, const float *restrict src, int w) {
    const int n = (w + 1) / 2;
    dst[0] = src[0];
    for (int j = 0; j < n - 1; j++) {
        const float a = src[j], b = src[j + 1];
        dst[2 * j + 1] = 0.75f * a + 0.25f * b;
        dst[2 * j + 2] = 0.25f * a + 0.75f * b;
    }
    if (w % 2 == 0) dst[w - 1] = src[n - 1];
}

static void cosited(float *restrict dst, const float *restrict src, int w) {
    const int n = (w + 1) / 2;
    for (int j = 0; j < n - 1; j++) {
        const float a = src[j], b = src[j + 1];
        dst[2 * j] = a;
        dst[2 * j + 1] = 0.5f * (a + b);
    }
    dst[2 * (n - 1)] = dst[w - 1] = src[n - 1];
}

static void rgb(float *restrict r, float *restrict g, float *restrict b,
                const float *restrict u, const float *restrict v, struct from_ycc k, int n) {
    for (int x = 0; x < n; x++) {
        const float y = (r[x] - k.y0) * k.y, cb = u[x] - k.c0, cr = v[x] - k.c0;
        r[x] = unit(y + k.rv * cr);
        g[x] = unit(y + k.gu * cb + k.gv * cr);
        b[x] = unit(y + k.bu * cb);
    }
}

static void subtract(float *restrict own, const float *restrict f, int n) {
    for (int x = 0; x < n; x++) own[x] = unit(f[x]) - own[x];
}

static void luma(float *restrict r, float *restrict g, float *restrict b, struct to_ycc k, int n) {
    for (int x = 0; x < n; x++) {
        const float y = k.r * r[x] + k.g * g[x] + k.b * b[x];
        g[x] = y;
        b[x] = (b[x] - y) * k.to_b;
        r[x] = (r[x] - y) * k.to_r;
    }
}

static void add_centred(float *restrict sum, const float *restrict row, float share, int w) {
    share *= 0.5f;
    for (int j = 0; j < w / 2; j++) sum[j] += share * (row[2 * j] + row[2 * j + 1]);
    if (w % 2) sum[w / 2] += share * (row[w - 1] + row[w - 1]);
}

static void add_cosited(float *restrict sum, const float *restrict row, float share, int w) {
    sum[0] += share * (0.25f * (row[0] + row[w > 1]) + 0.5f * row[0]);
    for (int j = 1; j < w / 2; j++) sum[j] += share * (0.25f * (row[2 * j - 1] + row[2 * j + 1]) + 0.5f * row[2 * j]);
    if (w % 2 && w > 1) sum[w / 2] += share * (0.25f * (row[w - 2] + row[w - 1]) + 0.5f * row[w - 1]);
}

static void add8(uint8_t *restrict dst, const uint8_t *restrict src, const float *restrict change, float scale, int32_t low, int32_t high, int n) {
    for (int x = 0; x < n; x++) dst[x] = (uint8_t)added(src[x], change[x] * scale, low, high);
}

static void add16(uint16_t *restrict dst, const uint16_t *restrict src, const float *restrict change, float scale, int32_t low, int32_t high, int n) {
    for (int x = 0; x < n; x++) dst[x] = (uint16_t)added(src[x], change[x] * scale, low, high);
}

static void curve(float *restrict row, const float *restrict c, float knots, int n) {
    for (int x = 0; x < n; x++) {
        const float v = row[x] * knots;
        const int i = (int)v;
        row[x] = c[i] + (v - (float)i) * (c[i + 1] - c[i]);
    }
}

const struct rows ROWS = {load8, load16, mix, centred, cosited, rgb, subtract, luma, add_centred, add_cosited, add8, add16, curve};
