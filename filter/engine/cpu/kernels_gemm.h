// Matrix multiplication: ROWS×2 vectors of accumulators, the layout of
// activations on one side and packed panels on the other.

// bfloat16 is the upper half of a float; rounds to nearest, to even.
INLINE uint16_t bfloat16(float x) {
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return (b + 0x7fff + (b >> 16 & 1)) >> 16;
}

INLINE void store_bfloat16(uint16_t *p, vec x) {
#if defined ISA_AVX512 && defined BF16
    __m256bh h = _mm512_cvtneps_pbh((__m512)x);
    memcpy(p, &h, sizeof h);
#else
    for (int i = 0; i < VL; i++) p[i] = bfloat16(x[i]);
#endif
}

// acc += the products of two pairs of bfloat16, b's the same in all lanes.
INLINE vec dot2(vec acc, ivec a, int32_t b) {
#if defined ISA_AVX512 && defined BF16
    return (vec)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)_mm512_set1_epi32(b));
#else
    ivec w = (ivec){0} + b, high = (ivec){0} + (int32_t)0xffff0000;
    acc = acc + (vec)(a << 16) * (vec)(w << 16);
    return acc + (vec)(a & high) * (vec)(w & high);
#endif
}

// Floats, or with half pairs of bfloat16 in their place: then k and the steps
// count pairs.
INLINE void micro(const int rows, const int add, const int half, const float *u, const float *v,
                  float *m, int k, int64_t vstep, int64_t mstep) {
    const int block = half ? VL / 2 : VL; // of v, between rows
    vec acc[ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) {
        acc[r][0] = add ? load(m + r * VL) : (vec){0};
        acc[r][1] = add ? load(m + mstep + r * VL) : (vec){0};
    }
    for (; k > 0; k -= block, v += vstep) {
        for (int i = 0; i < block; i++, u += PAIR) {
            vec u0 = load(u), u1 = load(u + VL);
            UNROLL for (int r = 0; r < rows; r++) {
                if (half) {
                    int32_t b;
                    memcpy(&b, v + r * block + i, sizeof b);
                    acc[r][0] = dot2(acc[r][0], (ivec)u0, b);
                    acc[r][1] = dot2(acc[r][1], (ivec)u1, b);
                } else {
                    float b = v[r * block + i];
                    acc[r][0] = acc[r][0] + b * u0;
                    acc[r][1] = acc[r][1] + b * u1;
                }
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        store(m + r * VL, acc[r][0]);
        store(m + mstep + r * VL, acc[r][1]);
    }
}

typedef void micro_fn(const float *, const float *, float *, int, int64_t, int64_t);

#define VARIANT(NAME, R, ADD, HALF_)                                                       \
    NOINLINE void NAME(const float *u, const float *v, float *m, int k, int64_t vstep,     \
                       int64_t mstep) {                                                    \
        micro(R, ADD, HALF_, u, v, m, k, vstep, mstep);                                    \
    }
#ifdef BF16
#define MICRO(R)                                                                           \
    VARIANT(micro_##R, R, 0, 0) VARIANT(micro_add_##R, R, 1, 0)                            \
    VARIANT(micro_half_##R, R, 0, 1) VARIANT(micro_half_add_##R, R, 1, 1)
#define SLOT(R) {micro_##R, micro_add_##R, micro_half_##R, micro_half_add_##R}
#else
#define MICRO(R) VARIANT(micro_##R, R, 0, 0) VARIANT(micro_add_##R, R, 1, 0)
#define SLOT(R) {micro_##R, micro_add_##R}
#endif

MICRO(1) MICRO(2) MICRO(3) MICRO(4)
#if ROWS >= 6
MICRO(5) MICRO(6)
#endif
#if ROWS >= 12
MICRO(7) MICRO(8) MICRO(9) MICRO(10) MICRO(11) MICRO(12)
#endif
#if ROWS >= 14
MICRO(13) MICRO(14)
#endif

static micro_fn *const micros[ROWS + 1][2 + 2 * HALF] = {
    {0}, SLOT(1), SLOT(2), SLOT(3), SLOT(4),
#if ROWS >= 6
    SLOT(5), SLOT(6),
#endif
#if ROWS >= 12
    SLOT(7), SLOT(8), SLOT(9), SLOT(10), SLOT(11), SLOT(12),
#endif
#if ROWS >= 14
    SLOT(13), SLOT(14),
#endif
};

// A panel goes through in pieces that stay in the first cache while all rows pass
// by it; the same piece of the next panel comes nearer meanwhile. k and vstep
// count floats, or with half pairs of bfloat16.
INLINE void multiply(const int half, const float *u, const float *v, float *m, int k, int n,
                     int rows, int64_t vstep, int64_t mstep, int add) {
    enum { DEPTH = 128, AHEAD = 1024, LINE = 64 };
    const int block = half ? VL / 2 : VL;
    for (int i = 0; i < k; i += DEPTH, add = 1) {
        const int depth = min(DEPTH, k - i), bytes = depth * PAIR * (int)sizeof *u;
        for (int o = 0; o < n; o += PAIR) {
            const float *panel = u + (size_t)k * o + (size_t)i * PAIR;
            const char *next = (const char *)(panel + (size_t)k * PAIR);
            for (int r = 0, ahead = 0; r < rows; r += ROWS) {
                for (int end = min(bytes, ahead + AHEAD); ahead < end; ahead += LINE)
                    __builtin_prefetch(next + ahead, 0, 2);
                micros[min(ROWS, rows - r)][2 * half + add](
                    panel, v + i / block * vstep + r * block, m + o / VL * mstep + r * VL, depth,
                    vstep, mstep);
            }
        }
    }
}

static void gemm(const float *u, const float *v, float *m, int k, int n, int rows, int64_t vstep,
                 int64_t mstep, int add) {
    multiply(0, u, v, m, k, n, rows, vstep, mstep, add);
}

static void pack_panels(float *u, const float *b, int k, int n, float scale) {
    int kp = (k + PAIR - 1) / PAIR * PAIR;
    for (int o = 0; o < n; o += PAIR)
        for (int i = 0; i < kp; i++, u += PAIR)
            for (int j = 0; j < PAIR; j++)
                u[j] = i < k && o + j < n ? scale * b[(size_t)i * n + o + j] : 0;
}

static void pack_rows(float *v, const float *a, int m, int k) {
    int kp = (k + PAIR - 1) / PAIR * PAIR;
    for (int i = 0; i < kp; i += VL)
        for (int r = 0; r < m; r++, v += VL)
            for (int j = 0; j < VL; j++) v[j] = i + j < k ? a[(size_t)r * k + i + j] : 0;
}

static void unpack_rows(float *c, const float *v, int m, int n, int row0, int rows) {
    for (int j = 0; j < n; j += VL) {
        const float *s = v + ((size_t)(j / VL) * m + row0) * VL;
        for (int r = row0; r < row0 + rows; r++, s += VL)
            for (int i = 0; i < min(VL, n - j); i++) c[(size_t)r * n + j + i] = s[i];
    }
}

static float peak(int64_t steps) {
    vec acc[ROWS][2], a = (vec){0} + .999f, b = (vec){0} + .001f, sum = {0};
    UNROLL for (int r = 0; r < ROWS; r++) {  // all different, or the compiler does one for two
        acc[r][0] = (vec){0} + (float)r;
        acc[r][1] = (vec){0} - (float)(r + 1);
    }
    for (; steps > 0; steps--) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            acc[r][0] = acc[r][0] * a + b;
            acc[r][1] = acc[r][1] * a + b;
        }
    }
    UNROLL for (int r = 0; r < ROWS; r++) sum += acc[r][0] + acc[r][1];
    float s = 0;
    for (int i = 0; i < VL; i++) s += sum[i];
    return s;
}
