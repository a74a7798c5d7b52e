// Operations on plain vectors, one block of n elements a call.

enum { PARTIALS = 8 }; // independent sums, added in order at the end

INLINE double total(const double s[PARTIALS]) {
    double t = 0;
    for (int i = 0; i < PARTIALS; i++) t += s[i];
    return t;
}

static double dot(const float *a, const float *b, int64_t n) {
    double s[PARTIALS] = {0};
    int64_t i = 0;
    for (; i + PARTIALS <= n; i += PARTIALS)
        for (int k = 0; k < PARTIALS; k++) s[k] += (double)a[i + k] * b[i + k];
    for (; i < n; i++) s[0] += (double)a[i] * b[i];
    return total(s);
}

static void axpby(float *y, float a, const float *x, float b, int64_t n) {
    if (b == 0)
        for (int64_t i = 0; i < n; i++) y[i] = a * x[i];
    else
        for (int64_t i = 0; i < n; i++) y[i] = a * x[i] + b * y[i];
}

INLINE void adam_step(float *x, float *m, float *v, float *mean, const float *dx,
                      const struct adam *s) {
    vec g, m1, v1, x1, w1;
    memcpy(&g, dx, sizeof g), memcpy(&m1, m, sizeof g), memcpy(&v1, v, sizeof g);
    memcpy(&x1, x, sizeof g);
    m1 = s->beta1 * m1 + s->gain1 * g;
    v1 = s->beta2 * v1 + s->gain2 * (g * g);
    x1 = x1 - s->rate * (s->correct1 * m1) / (square_root(s->correct2 * v1) + s->epsilon);
    if (s->clamp) x1 = -vmax(-positive(x1), (vec){0} - 1.f);
    memcpy(m, &m1, sizeof g), memcpy(v, &v1, sizeof g), memcpy(x, &x1, sizeof g);
    if (!mean) return;
    memcpy(&w1, mean, sizeof g);
    w1 = s->average * w1 + (1 - s->average) * x1;
    memcpy(mean, s->average == 0 ? &x1 : &w1, sizeof g);
}

static void adam(float *x, float *m, float *v, float *mean, const float *dx, const struct adam *s,
                 int64_t n) {
    int64_t i = 0;
    for (; i + VL <= n; i += VL) adam_step(x + i, m + i, v + i, mean ? mean + i : 0, dx + i, s);
    if (i == n) return;
    float t[5][VL] = {{0}};
    const size_t rest = (n - i) * sizeof *x;
    memcpy(t[0], x + i, rest), memcpy(t[1], m + i, rest), memcpy(t[2], v + i, rest);
    memcpy(t[4], dx + i, rest);
    if (mean) memcpy(t[3], mean + i, rest);
    adam_step(t[0], t[1], t[2], t[3], t[4], s);
    memcpy(x + i, t[0], rest), memcpy(m + i, t[1], rest), memcpy(v + i, t[2], rest);
    if (mean) memcpy(mean + i, t[3], rest);
}

static double tv(float *dx, const float *x, int h, int w, int y0, int y1, float scale) {
    double s[PARTIALS] = {0};
    for (int y = y0; y < y1; y++) {
        const float *r = x + (size_t)y * w;
        float *d = dx + (size_t)y * w;
        const float *up = y > 0 ? r - w : r, *down = y + 1 < h ? r + w : r;
        for (int i = 0; i < w; i++) {
            float e = i + 1 < w ? r[i + 1] - r[i] : 0, f = down[i] - r[i];
            float b = i > 0 ? r[i] - r[i - 1] : 0, c = r[i] - up[i];
            s[i % PARTIALS] += (double)e * e + (double)f * f;
            d[i] += 2 * scale * ((b - e) + (c - f));
        }
    }
    return total(s);
}

static double prior(float *dx, const float *x, const float *prior, const float *w, float scale,
                    int64_t n) {
    double s[PARTIALS] = {0};
    for (int64_t i = 0; i < n; i++) {
        float d = x[i] - prior[i];
        s[i % PARTIALS] += (double)w[i] * d * d;
        dx[i] += scale * w[i] * d;
    }
    return total(s);
}
