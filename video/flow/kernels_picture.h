// Pictures, their pyramids, and fields between levels.

static void luma(struct plane dst, const float *r, const float *g, const float *b, int y0, int y1) {
    const int w = dst.w;
    for (int y = y0; y < y1; y++) {
        float *d = row(&dst, y);
        const long at = (long)y * w;
        INDEPENDENT for (int x = 0; x < w; x++)
            d[x] = 255 * 0.299f * r[at + x] + 255 * 0.587f * g[at + x] + 255 * 0.114f * b[at + x];
    }
}

static void halve(struct plane dst, struct plane src, int y0, int y1) {
    const int pairs = src.w / 2;
    for (int y = y0; y < y1; y++) {
        float *d = row(&dst, y);
        const float *a = row(&src, 2 * y), *b = clamped_row(&src, 2 * y + 1);
        INDEPENDENT for (int x = 0; x < pairs; x++)
            d[x] = (a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1]) / 4;
        if (pairs < dst.w) d[pairs] = (a[2 * pairs] + b[2 * pairs]) / 2;
    }
}

static void differentiate(const struct level *l, int y0, int y1) {
    const int w = l->luma.w;
    for (int y = y0; y < y1; y++) {
        float *dx = row(&l->dx, y), *dy = row(&l->dy, y);
        const float *a = row(&l->luma, y - 1), *b = row(&l->luma, y + 1);
        INDEPENDENT for (int x = 0; x < w; x++) {
            const float fall = b[x + 1] - a[x - 1], rise = a[x + 1] - b[x - 1];
            dx[x] = (fall + rise) / 4, dy[x] = (fall - rise) / 4;
        }
    }
}

static void grow(float *dst, int stride, int w, struct plane src, int y0, int y1) {
    const int n = src.w;
    for (int y = y0; y < y1; y++) {
        const float *near = row(&src, y / 2), *far = clamped_row(&src, y / 2 + 2 * (y & 1) - 1);
        float *d = dst + (long)y * stride;
        for (int x = 0; x < 2; x++) // both ends, whichever they are
            for (int i = x ? n - 1 : 0, k = 0; k < 2; k++) {
                const int j = clamped(i + 2 * k - 1, n);
                if (2 * i + k < w) d[2 * i + k] = (3 * (3 * near[i] + far[i]) + 3 * near[j] + far[j]) / 8;
            }
        INDEPENDENT for (int i = 1; i < n - 1; i++) {
            const float a = 3 * near[i - 1] + far[i - 1], b = 3 * near[i] + far[i], c = 3 * near[i + 1] + far[i + 1];
            d[2 * i] = (3 * b + a) / 8, d[2 * i + 1] = (3 * b + c) / 8;
        }
    }
}
