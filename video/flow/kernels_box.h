// Means over squares, by running sums.

typedef double vec4d __attribute__((vector_size(32)));

INLINE double box_side(int i, int n, int r) { return min(i + r, n - 1) - (i > r ? i - r : 0) + 1; }

// four rows beside one another, whose sums wait for one another less.
struct four_rows {
    const float *src[4];
    float *dst[4];
};

INLINE vec4d four_samples(const struct four_rows *f, int i) {
    return __builtin_convertvector((vec4){f->src[0][i], f->src[1][i], f->src[2][i], f->src[3][i]}, vec4d);
}

INLINE void put_four(const struct four_rows *f, int i, vec4d v) {
    const vec4 s = __builtin_convertvector(v, vec4);
    for (int k = 0; k < 4; k++) f->dst[k][i] = s[k];
}

static void box_across(float *dst, const float *src, int w, int h, int r) {
    for (int y = 0; y < h; y += 4) {
        struct four_rows f;
        for (int k = 0; k < 4; k++) { // the last one again, where there is no fourth
            const long at = (long)min(y + k, h - 1) * w;
            f.src[k] = src + at, f.dst[k] = dst + at;
        }
        vec4d sum = {0};
        for (int i = 0; i < min(r, w); i++) sum += four_samples(&f, i);
        int i = 0;
        for (; i < min(r + 1, w); i++) {
            if (i + r < w) sum += four_samples(&f, i + r);
            put_four(&f, i, sum / box_side(i, w, r));
        }
        for (; i + r < w; i++) {
            sum += four_samples(&f, i + r);
            sum -= four_samples(&f, i - r - 1);
            put_four(&f, i, sum / (2. * r + 1));
        }
        for (; i < w; i++) {
            sum -= four_samples(&f, i - r - 1);
            put_four(&f, i, sum / box_side(i, w, r));
        }
    }
}

enum { COLUMNS = 64 };

// n columns, at most COLUMNS, of h rows that are w apart.
static void box_down(float *dst, const float *src, int w, int h, int r, int n) {
    double sums[COLUMNS] = {0};
    for (int y = 0; y < min(r, h); y++) {
        const float *in = src + (long)y * w;
        INDEPENDENT for (int k = 0; k < n; k++) sums[k] += in[k];
    }
    for (int y = 0; y < h; y++) {
        const float *in = src + (long)(y + r) * w, *out = src + (long)(y - r - 1) * w;
        float *d = dst + (long)y * w;
        const double side = box_side(y, h, r);
        if (y + r < h && y > r) {
            INDEPENDENT for (int k = 0; k < n; k++) {
                sums[k] = sums[k] + in[k] - out[k];
                d[k] = sums[k] / side;
            }
            continue;
        }
        if (y + r < h)
            for (int k = 0; k < n; k++) sums[k] += in[k];
        if (y > r)
            for (int k = 0; k < n; k++) sums[k] -= out[k];
        for (int k = 0; k < n; k++) d[k] = sums[k] / side;
    }
}
