// Between planar pictures and what the first convolution reads and writes.

static void pack_picture(float *dst, const float *x, const float *mean, const float *std, int h,
                         int w, int y0, int y1) {
    const size_t plane = (size_t)h * w;
    for (int y = y0; y < y1; y++) {
        float *d = dst + (size_t)(y + 1) * (w + 2) * VL;
        const float *row = x + (size_t)(y < 0 ? 0 : min(y, h - 1)) * w;
        for (int i = 0; i < w + 2; i++, d += VL) {
            const float *s = row + (i == 0 ? 0 : min(i - 1, w - 1));
            store(d, (vec){(s[0] - mean[0]) / std[0], (s[plane] - mean[1]) / std[1],
                           (s[2 * plane] - mean[2]) / std[2]});
        }
    }
}

static void unpack_gradient(float *dx, const float *d, const float *std, int h, int w, int y0,
                            int y1) {
    for (int c = 0; c < 3; c++)
        for (int y = y0; y < y1; y++)
            for (int x = 0; x < w; x++) {
                // Rows and columns of d that show this pixel: its own, and the border's.
                int ya = y == 0 ? 0 : y + 1, yb = y == h - 1 ? h + 1 : y + 1;
                int xa = x == 0 ? 0 : x + 1, xb = x == w - 1 ? w + 1 : x + 1;
                float s = 0;
                for (int i = ya; i <= yb; i++)
                    for (int j = xa; j <= xb; j++) s += d[((size_t)i * (w + 2) + j) * VL + c];
                dx[((size_t)c * h + y) * w + x] = s / std[c];
            }
}
