// Between planar pictures and what the first convolution reads and writes.

INLINE int clamped(int i, int n) { return i < 0 ? 0 : min(i, n - 1); }

static void pack_picture(float *dst, const float *x, const float *mean, const float *std,
                         const struct window *s, int y0, int y1) {
    const size_t plane = (size_t)s->height * s->width;
    const vec m = {mean[0], mean[1], mean[2]}, scale = {1 / std[0], 1 / std[1], 1 / std[2]};
    for (int y = y0; y < y1; y++) {
        float *d = dst + (size_t)(y + 1) * (s->w + 2) * VL;
        const float *row = x + (size_t)clamped(s->y + y, s->height) * s->width;
        for (int i = -1; i < s->w + 1; i++, d += VL) {
            const float *p = row + clamped(s->x + i, s->width);
            store(d, ((vec){p[0], p[plane], p[2 * plane]} - m) * scale);
        }
    }
}

static void unpack_gradient(float *dx, const float *d, const float *std, const struct window *s,
                            int y0, int y1) {
    const size_t wide = (size_t)(s->w + 2) * VL, plane = (size_t)s->height * s->width;
    const float scale[3] = {1 / std[0], 1 / std[1], 1 / std[2]};
    for (int y = y0; y < y1; y++) {
        // Rows of d that show this row: its own, and the border's; so for columns.
        const int py = s->y + y, ya = py == 0 ? 0 : y + 1, yb = py == s->height - 1 ? y + 2 : y + 1;
        float *row = dx + (size_t)py * s->width + s->x;
        for (int i = ya; i <= yb; i++) {
            const float *p = d + i * wide + VL;
            for (int x = 0; x < s->w; x++)
                for (int c = 0; c < 3; c++) row[c * plane + x] += p[x * VL + c] * scale[c];
            for (int c = 0; c < 3; c++) {
                if (s->x == 0) row[c * plane] += p[c - VL] * scale[c];
                if (s->x + s->w == s->width)
                    row[c * plane + s->w - 1] += p[s->w * VL + c] * scale[c];
            }
        }
    }
}
