// Gram matrices, content differences, and their gradients at the activations.

enum {
    GRAM_ROWS = VL == 16 ? 8 : 4, // × 2 vectors of accumulators
    GRAM_CHUNK = 256,             // positions summed in float32
};

// acc[r] = Σ_p a_r(p) · (b0(p), b1(p)); a at channel i, b at the pair of blocks j.
INLINE void gram_tile(double *gram, int c, int i, int j, const float *a, int64_t p, int64_t p0,
                      int n) {
    const float *s = a + ((i / VL) * p + p0) * VL + i % VL;
    const float *b = a + ((j / VL) * p + p0) * VL;
    vec acc[GRAM_ROWS][2];
    UNROLL for (int r = 0; r < GRAM_ROWS; r++) acc[r][0] = acc[r][1] = (vec){0};
    for (int q = 0; q < n; q++, s += VL, b += VL) {
        vec b0 = load(b), b1 = load(b + p * VL);
        UNROLL for (int r = 0; r < GRAM_ROWS; r++) {
            acc[r][0] = acc[r][0] + s[r] * b0;
            acc[r][1] = acc[r][1] + s[r] * b1;
        }
    }
    UNROLL for (int r = 0; r < GRAM_ROWS; r++) {
        double *g = gram + (size_t)(i + r) * c + j;
        for (int k = 0; k < VL; k++) g[k] += acc[r][0][k];
        for (int k = 0; k < VL; k++) g[VL + k] += acc[r][1][k];
    }
}

// gram_shares does one chunk from a copy of √share·a, without what has no share.
static void gram_shares(double *gram, double *sum, const float *a, const float *share, int c,
                        int64_t p, int64_t p0, int n, float *work) {
    float root[GRAM_CHUNK];
    int from[GRAM_CHUNK], some = 0;
    for (int q = 0; q < n; q++)
        if (share[q] > 0) root[some] = __builtin_sqrtf(share[q]), from[some++] = q;
    for (int i = 0; i < c / VL; i++) {
        const float *s = a + (i * p + p0) * VL;
        float *d = work + (size_t)i * some * VL;
        vec t = {0};
        for (int q = 0; q < some; q++) {
            vec v = root[q] * load(s + from[q] * VL);
            store(d + q * VL, v);
            t += root[q] * v;
        }
        for (int k = 0; k < VL; k++) sum[i * VL + k] += t[k];
    }
    for (int i = 0; i < c; i += PAIR)
        for (int j = i; j < c; j += PAIR)
            for (int r = 0; r < PAIR; r += GRAM_ROWS) gram_tile(gram, c, i + r, j, work, some, 0, some);
}

static void gram(double *gram, double *sum, const float *a, const float *share, int c, int64_t p,
                 int64_t p0, int n, float *work) {
    for (int q = 0; q < n; q += GRAM_CHUNK) {
        int len = min(GRAM_CHUNK, n - q);
        if (share) {
            gram_shares(gram, sum, a, share + q, c, p, p0 + q, len, work);
            continue;
        }
        for (int i = 0; i < c; i += PAIR)
            for (int j = i; j < c; j += PAIR)
                for (int r = 0; r < PAIR; r += GRAM_ROWS)
                    gram_tile(gram, c, i + r, j, a, p, p0 + q, len);
        for (int i = 0; i < c; i += VL) {
            const float *s = a + ((i / VL) * p + p0 + q) * VL;
            vec t = {0};
            for (int k = 0; k < len; k++) t += load(s + k * VL);
            for (int k = 0; k < VL; k++) sum[i + k] += t[k];
        }
    }
}

static double content(float *md, const float *a, const float *share, const float *target,
                      const float *m, int c, int64_t p, int64_t p0, int n, int64_t tp, int64_t t0,
                      float *work) {
    const int64_t step = (int64_t)n * VL;
    float *delta = work; // [c/VL][n][VL]
    for (int i = 0; i < c / VL; i++) {
        const float *s = a + (i * p + p0) * VL, *t = target + (i * tp + t0) * VL;
        for (int64_t q = 0; q < step; q += VL) store(delta + i * step + q, load(s + q) - load(t + q));
    }
    if (m)
        gemm(m, delta, md + p0 * VL, c, c, n, step, p * VL, 0);
    else
        for (int i = 0; i < c / VL; i++)
            memcpy(md + (i * p + p0) * VL, delta + i * step, step * sizeof *md);
    double s = 0;
    for (int i = 0; i < c / VL; i++) {
        const float *d = delta + i * step;
        float *e = md + (i * p + p0) * VL;
        vec t = {0};
        if (share)
            for (int q = 0; q < n; q++) store(e + q * VL, share[q] * load(e + q * VL));
        for (int q = 0; q < n; q++) t += load(d + q * VL) * load(e + q * VL);
        for (int k = 0; k < VL; k++) s += t[k];
    }
    return s;
}

static void add_gradient(float *da, const float *a, const float *share, const float *style,
                         const float *mean, const float *md, float content, int c, int64_t p,
                         int64_t p0, int n, float *work) {
    int some = !share; // elsewhere than in its region a tap has nothing to add
    for (int q = 0; !some && q < n; q++) some = share[q] != 0;
    if (!some) return;
    if (style) { // from a copy: p·VL is often a power of two, and all blocks fall into one set
        const int64_t step = (int64_t)n * VL;
        for (int i = 0; i < c / VL; i++) {
            const float *s = a + (i * p + p0) * VL;
            float *v = work + i * step;
            if (!share) memcpy(v, s, step * sizeof *work);
            for (int q = 0; share && q < n; q++) store(v + q * VL, share[q] * load(s + q * VL));
        }
        gemm(style, work, da + p0 * VL, c, c, n, step, p * VL, 1);
    }
    if (!mean && !md) return;
    for (int i = 0; i < c / VL; i++) {
        vec k = mean ? load(mean + i * VL) : (vec){0};
        const int64_t start = (i * p + p0) * VL;
        for (int64_t at = start, end = at + (int64_t)n * VL; at < end; at += VL) {
            vec g = k;
            if (share) g = share[(at - start) / VL] * k;
            g = load(da + at) + g;
            if (md) g = g + content * load(md + at);
            store(da + at, g);
        }
    }
}
