// 2×2 pooling of an activation that is kept because it is tapped. Odd last rows
// and columns are dropped.

static void pool(float *dst, const float *src, int h, int w, int maximum) {
    for (int y = 0; y < h / 2; y++)
        for (int x = 0; x < w / 2; x++, dst += VL) {
            const float *s = src + ((size_t)2 * y * w + 2 * x) * VL;
            vec a = load(s), b = load(s + VL), c = load(s + w * VL), d = load(s + (w + 1) * VL);
            if (maximum)
                store(dst, vmax(vmax(a, b), vmax(c, d)));
            else
                store(dst, .25f * ((a + b) + (c + d)));
        }
}

static void unpool(float *dsrc, const float *ddst, const float *src, int h, int w, int maximum) {
    memset(dsrc, 0, (size_t)h * w * VL * sizeof *dsrc);
    for (int y = 0; y < h / 2; y++)
        for (int x = 0; x < w / 2; x++, ddst += VL) {
            const size_t q = ((size_t)2 * y * w + 2 * x) * VL;
            const size_t at[4] = {q, q + VL, q + (size_t)w * VL, q + (size_t)(w + 1) * VL};
            vec g = load(ddst);
            if (!maximum) {
                for (int i = 0; i < 4; i++) store(dsrc + at[i], .25f * g);
                continue;
            }
            vec r = load(src + at[0]);
            for (int i = 1; i < 4; i++) r = vmax(r, load(src + at[i]));
            ivec left = r == r;
            for (int i = 0; i < 4; i++) { // of equals the first wins
                ivec won = left & (load(src + at[i]) == r);
                left &= ~won;
                store(dsrc + at[i], (vec)((ivec)g & won));
            }
        }
}
