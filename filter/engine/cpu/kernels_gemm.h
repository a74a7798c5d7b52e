// Matrix multiplication: ROWS×2 vectors of accumulators, the layout of
// activations on one side and packed panels on the other.

INLINE void micro(const int rows, const int add, const float *u, const float *v, float *m, int k,
                  int64_t vstep, int64_t mstep) {
    vec acc[ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) {
        acc[r][0] = add ? load(m + r * VL) : (vec){0};
        acc[r][1] = add ? load(m + mstep + r * VL) : (vec){0};
    }
    for (; k > 0; k -= VL, v += vstep) {
        for (int i = 0; i < VL; i++, u += PAIR) {
            vec u0 = load(u), u1 = load(u + VL);
            UNROLL for (int r = 0; r < rows; r++) {
                float b = v[r * VL + i];
                acc[r][0] = acc[r][0] + b * u0;
                acc[r][1] = acc[r][1] + b * u1;
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        store(m + r * VL, acc[r][0]);
        store(m + mstep + r * VL, acc[r][1]);
    }
}

#define MICRO(R)                                                                             \
    NOINLINE void micro_##R(const float *u, const float *v, float *m, int k, int64_t vstep,  \
                            int64_t mstep) {                                                 \
        micro(R, 0, u, v, m, k, vstep, mstep);                                               \
    }                                                                                        \
    NOINLINE void micro_add_##R(const float *u, const float *v, float *m, int k,             \
                                int64_t vstep, int64_t mstep) {                              \
        micro(R, 1, u, v, m, k, vstep, mstep);                                               \
    }
#define SLOT(R) {micro_##R, micro_add_##R}

typedef void micro_fn(const float *, const float *, float *, int, int64_t, int64_t);

MICRO(1) MICRO(2) MICRO(3) MICRO(4)
#if ROWS >= 6
MICRO(5) MICRO(6)
#endif
#if ROWS >= 14
MICRO(7) MICRO(8) MICRO(9) MICRO(10) MICRO(11) MICRO(12) MICRO(13) MICRO(14)
#endif

static micro_fn *const micros[ROWS + 1][2] = {
    {0, 0}, SLOT(1), SLOT(2), SLOT(3), SLOT(4),
#if ROWS >= 6
    SLOT(5), SLOT(6),
#endif
#if ROWS >= 14
    SLOT(7), SLOT(8), SLOT(9), SLOT(10), SLOT(11), SLOT(12), SLOT(13), SLOT(14),
#endif
};

static void gemm(const float *u, const float *v, float *m, int k, int n, int rows, int64_t vstep,
                 int64_t mstep, int add) {
    for (int o = 0; o < n; o += PAIR, u += (size_t)k * PAIR, m += 2 * mstep)
        for (int r = 0; r < rows; r += ROWS)
            micros[min(ROWS, rows - r)][add](u, v + r * VL, m + r * VL, k, vstep, mstep);
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
