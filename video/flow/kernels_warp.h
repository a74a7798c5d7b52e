// Pictures moved along a flow, by quintic B-splines.

enum { TAPS = 6, START = 32 };

// One pole's filter forth and back over n vectors of width samples, step apart.
INLINE void filter_along(float *c, long step, int n, int width, float z, const float *start) {
    if (n == 1) return;
    const float gain = (1 - z) * (1 - 1 / z), end = z / (z * z - 1);
    for (int i = 0; i < n; i++)
        INDEPENDENT for (int k = 0; k < width; k++) c[i * step + k] *= gain;
    for (int k = 0; k < width; k++) c[k] *= start[0];
    for (int i = 1; i < min(n, START); i++)
        INDEPENDENT for (int k = 0; k < width; k++) c[k] += start[i] * c[i * step + k];
    for (int i = 1; i < n; i++) {
        float *now = c + i * step;
        const float *before = now - step;
        INDEPENDENT for (int k = 0; k < width; k++) now[k] += z * before[k];
    }
    float *last = c + (n - 1) * step;
    for (int k = 0; k < width; k++) last[k] = end * (last[k] + z * last[k - step]);
    for (int i = n - 2; i >= 0; i--) {
        float *now = c + i * step;
        const float *after = now + step;
        INDEPENDENT for (int k = 0; k < width; k++) now[k] = z * (after[k] - now[k]);
    }
}

static void filter(struct plane c, float z, const float *start_across, const float *start_down) {
    for (int y = 0; y < c.h; y++) filter_along(row(&c, y), 1, c.w, 1, z, start_across);
    filter_along(c.at, c.stride, c.h, c.w, z, start_down);
}

// The weights of the taps around t, the last two 0.
INLINE vec spline_weights(const vec *quintic, float t) {
    vec w = quintic[TAPS - 1];
    for (int i = TAPS - 2; i >= 0; i--) w = w * t + quintic[i];
    return w;
}

INLINE vec spline_rows(const struct plane *c, int i, int j, vec wy) {
    const float *p = row(c, j - TAPS / 2 + 1) + i - TAPS / 2 + 1;
    vec s = load(p) * wy[0];
    UNROLL for (int k = 1; k < TAPS; k++) s += load(p + k * (long)c->stride) * wy[k];
    return s;
}

static void warp(const struct warp *m, int y0, int y1) {
    const struct plane *c = m->splines;
    const int w = c->w, h = c->h;
    const long n = (long)w * h;
    vec quintic[TAPS] = {0};
    for (int i = 0; i < TAPS; i++)
        for (int k = 0; k < TAPS; k++) quintic[i][k] = m->quintic[i][k] / 120;
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < w; x++) {
            const long at = (long)y * w + x;
            float u = m->u[at], v = m->v[at];
            if (!(u >= -m->unknown && u <= m->unknown && v >= -m->unknown && v <= m->unknown)) u = v = 0;
            float px = x + u, py = y + v;
            px = px < 0 ? 0 : px > w - 1 ? w - 1 : px, py = py < 0 ? 0 : py > h - 1 ? h - 1 : py;
            const int i = px, j = py;
            const float a = px - i, b = py - j;
            if (a == 0 && b == 0) {
                for (int p = 0; p < m->planes; p++) m->dst[p * n + at] = m->src[p * n + (long)j * w + i];
                continue;
            }
            const vec wx = spline_weights(quintic, a), wy = spline_weights(quintic, b);
            int p = 0;
            for (; p + 3 <= m->planes; p += 3) {
                const vec4 s = sums(spline_rows(c + p, i, j, wy) * wx, spline_rows(c + p + 1, i, j, wy) * wx,
                                    spline_rows(c + p + 2, i, j, wy) * wx, wx);
                for (int k = 0; k < 3; k++) m->dst[(p + k) * n + at] = s[k];
            }
            for (; p < m->planes; p++) m->dst[p * n + at] = sum(spline_rows(c + p, i, j, wy) * wx);
        }
}
