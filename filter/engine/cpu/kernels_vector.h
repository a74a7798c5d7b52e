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

// y = Σ by·x over elements from .. from + n; y may be one of x.
static void combine(float *y, const float *const *x, const float *by, int terms, int64_t from,
                    int64_t n) {
    enum { PART = 512 };
    float sum[PART];
    for (int64_t at = from; at < from + n; at += PART) {
        int part = from + n - at < PART ? from + n - at : PART;
        for (int i = 0; i < part; i++) sum[i] = by[0] * x[0][at + i];
        for (int j = 1; j < terms; j++)
            for (int i = 0; i < part; i++) sum[i] += by[j] * x[j][at + i];
        memcpy(y + at, sum, part * sizeof *sum);
    }
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

INLINE vec loadu(const float *p) {
    vec x;
    memcpy(&x, p, sizeof x);
    return x;
}

INLINE void storeu(float *p, vec x) { memcpy(p, &x, sizeof x); }

// Squares are summed in float32 over FLUSH vectors, then in float64 by lane.
enum { FLUSH = 16 };

INLINE void flush(double s[VL], vec *acc) {
    for (int k = 0; k < VL; k++) s[k] += (*acc)[k];
    *acc = (vec){0};
}

INLINE double total_of_lanes(const double s[VL]) {
    double t = 0;
    for (int k = 0; k < VL; k++) t += s[k];
    return t;
}

// One pixel of a row; left and right are its neighbours' distances, 0 at the ends.
INLINE double tv_pixel(float *d, const float *r, const float *up, const float *down, int left,
                       int right, float scale) {
    float e = r[right] - *r, f = *down - *r, b = *r - r[-left], c = *r - *up;
    *d += scale * ((b - e) + (c - f));
    return (double)e * e + (double)f * f;
}

static double tv(float *dx, const float *x, int h, int w, int y0, int y1, float scale) {
    double s[VL] = {0};
    vec acc = {0};
    scale *= 2;
    for (int y = y0; y < y1; y++) {
        const float *r = x + (size_t)y * w;
        float *d = dx + (size_t)y * w;
        const float *up = y > 0 ? r - w : r, *down = y + 1 < h ? r + w : r;
        s[0] += tv_pixel(d, r, up, down, 0, w > 1, scale);
        int i = 1;
        for (int n = 1; i + VL < w; i += VL, n++) { // the last pixel has none to its right
            vec o = loadu(r + i), e = loadu(r + i + 1) - o, f = loadu(down + i) - o;
            vec b = o - loadu(r + i - 1), c = o - loadu(up + i);
            acc = acc + e * e + f * f;
            storeu(d + i, loadu(d + i) + scale * ((b - e) + (c - f)));
            if (n % FLUSH == 0) flush(s, &acc);
        }
        flush(s, &acc);
        for (; i < w; i++) s[0] += tv_pixel(d + i, r + i, up + i, down + i, 1, i + 1 < w, scale);
    }
    return total_of_lanes(s);
}

INLINE double tv_masked_pixel(float *d, const float *r, const float *up, const float *down,
                              const float *m, const float *mup, const float *mdown, int left,
                              int right, float scale) {
    float e = r[right] - *r, f = *down - *r, b = *r - r[-left], c = *r - *up;
    float me = *m * m[right] * e, mf = *m * *mdown * f;
    *d += scale * ((*m * m[-left] * b - me) + (*m * *mup * c - mf));
    return (double)me * e + (double)mf * f;
}

static double tv_masked(float *dx, const float *x, const float *mask, int h, int w, int y0, int y1,
                        float scale) {
    double s[VL] = {0};
    vec acc = {0};
    scale *= 2;
    for (int y = y0; y < y1; y++) {
        const float *r = x + (size_t)y * w, *m = mask + (size_t)y * w;
        float *d = dx + (size_t)y * w;
        const int above = y > 0 ? -w : 0, below = y + 1 < h ? w : 0;
        s[0] += tv_masked_pixel(d, r, r + above, r + below, m, m + above, m + below, 0, w > 1, scale);
        int i = 1;
        for (int n = 1; i + VL < w; i += VL, n++) { // the last pixel has none to its right
            const float *q = r + i, *k = m + i;
            vec o = loadu(q), mo = loadu(k);
            vec e = loadu(q + 1) - o, f = loadu(q + below) - o, b = o - loadu(q - 1), c = o - loadu(q + above);
            vec me = mo * loadu(k + 1) * e, mf = mo * loadu(k + below) * f;
            vec mb = mo * loadu(k - 1) * b, mc = mo * loadu(k + above) * c;
            acc = acc + me * e + mf * f;
            storeu(d + i, loadu(d + i) + scale * ((mb - me) + (mc - mf)));
            if (n % FLUSH == 0) flush(s, &acc);
        }
        flush(s, &acc);
        for (; i < w; i++)
            s[0] += tv_masked_pixel(d + i, r + i, r + i + above, r + i + below, m + i, m + i + above,
                                    m + i + below, 1, i + 1 < w, scale);
    }
    return total_of_lanes(s);
}

static double gamut(float *dx, const float *x, float scale, int64_t n) {
    double s[VL] = {0};
    vec acc = {0};
    int64_t i = 0;
    for (int k = 1; i + VL <= n; i += VL, k++) {
        vec o = loadu(x + i), z = positive(o - 1.f) - positive(-o);
        acc = acc + z * z;
        storeu(dx + i, loadu(dx + i) + scale * z);
        if (k % FLUSH == 0) flush(s, &acc);
    }
    flush(s, &acc);
    for (; i < n; i++) {
        float z = x[i] > 1 ? x[i] - 1 : x[i] < 0 ? x[i] : 0;
        s[0] += (double)z * z;
        dx[i] += scale * z;
    }
    return total_of_lanes(s);
}

static double prior(float *dx, const float *x, const float *prior, const float *w, float scale,
                    int64_t n) {
    double s[VL] = {0};
    vec acc = {0};
    int64_t i = 0;
    for (int k = 1; i + VL <= n; i += VL, k++) {
        vec d = loadu(x + i) - loadu(prior + i), wd = loadu(w + i) * d;
        acc = acc + wd * d;
        storeu(dx + i, loadu(dx + i) + scale * wd);
        if (k % FLUSH == 0) flush(s, &acc);
    }
    flush(s, &acc);
    for (; i < n; i++) {
        float d = x[i] - prior[i], wd = w[i] * d;
        s[0] += (double)wd * d;
        dx[i] += scale * wd;
    }
    return total_of_lanes(s);
}
