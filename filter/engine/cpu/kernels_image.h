// Between planar pictures and what the first convolution reads and writes.

INLINE int clamped(int i, int n) { return i < 0 ? 0 : min(i, n - 1); }

static void pack_picture(float *dst, const float *x, const float *mean, const float *std,
                         const struct window *s, int y0, int y1) {
    const size_t plane = (size_t)s->height * s->width;
    for (int y = y0; y < y1; y++) {
        float *d = dst + (size_t)(y + 1) * (s->w + 2) * VL;
        const float *row = x + (size_t)clamped(s->y + y, s->height) * s->width;
        for (int i = -1; i < s->w + 1; i++, d += VL) {
            const float *p = row + clamped(s->x + i, s->width);
            store(d, (vec){(p[0] - mean[0]) / std[0], (p[plane] - mean[1]) / std[1],
                           (p[2 * plane] - mean[2]) / std[2]});
        }
    }
}

static void unpack_gradient(float *dx, const float *d, const float *std, const struct window *s,
                            int y0, int y1) {
    const size_t wide = s->w + 2;
    for (int c = 0; c < 3; c++)
        for (int y = y0; y < y1; y++) {
            // Rows of d that show this row: its own, and the border's.
            const int py = s->y + y, ya = py == 0 ? 0 : y + 1, yb = py == s->height - 1 ? y + 2 : y + 1;
            float *row = dx + ((size_t)c * s->height + py) * s->width + s->x;
            for (int x = 0; x < s->w; x++) {
                const int px = s->x + x, xa = px == 0 ? 0 : x + 1, xb = px == s->width - 1 ? x + 2 : x + 1;
                float g = 0;
                for (int i = ya; i <= yb; i++)
                    for (int j = xa; j <= xb; j++) g += d[(i * wide + j) * VL + c];
                row[x] += g / std[c];
            }
        }
}
