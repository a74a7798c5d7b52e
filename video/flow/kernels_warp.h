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

// The same of 8 rows: what a sample waits for is then done beside seven others.
INLINE void filter_rows(float *c, long stride, int n, float z, const float *start) {
    if (n == 1) return;
    const float gain = (1 - z) * (1 - 1 / z), end = z / (z * z - 1);
    float now[VL];
    UNROLL for (int r = 0; r < VL; r++) {
        float *row = c + r * stride;
        INDEPENDENT for (int i = 0; i < n; i++) row[i] *= gain;
        row[0] *= start[0];
        for (int i = 1; i < min(n, START); i++) row[0] += start[i] * row[i];
        now[r] = row[0];
    }
    for (int i = 1; i < n; i++)
        UNROLL for (int r = 0; r < VL; r++) {
            float *at = c + r * stride + i;
            now[r] = *at + z * now[r];
            *at = now[r];
        }
    UNROLL for (int r = 0; r < VL; r++) {
        float *last = c + r * stride + n - 1;
        now[r] = end * (last[0] + z * last[-1]);
        last[0] = now[r];
    }
    for (int i = n - 2; i >= 0; i--)
        UNROLL for (int r = 0; r < VL; r++) {
            float *at = c + r * stride + i;
            now[r] = z * (now[r] - *at);
            *at = now[r];
        }
}

static void filter_across(struct plane c, float z, const float *start, int y0, int y1) {
    int y = y0;
    for (; y + VL <= y1; y += VL) filter_rows(row(&c, y), c.stride, c.w, z, start);
    for (; y < y1; y++) filter_along(row(&c, y), 1, c.w, 1, z, start);
}

static void filter_down(struct plane c, float z, const float *start, int x0, int x1) {
    filter_along(c.at + x0, c.stride, c.h, x1 - x0, z, start);
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
            if (m->where && !(m->where[at] > 0)) continue;
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
