// Patches of 8×8, a row of one in a vector.

enum { PATCH = 8 };

struct target {
    const float *at; // in the second picture
    float a, b;      // what is left of a pixel
};

INLINE struct target target(const struct plane *to, int x, int y, float u, float v) {
    float px = fminf(fmaxf(x + u, 1 - PATCH), to->w - 1), py = fminf(fmaxf(y + v, 1 - PATCH), to->h - 1);
    float fx = __builtin_floorf(px), fy = __builtin_floorf(py);
    return (struct target){to->at + (int)fy * (long)to->stride + (int)fx, px - fx, py - fy};
}

INLINE vec between(const float *q, float a) {
    vec left = load(q);
    return left + a * (load(q + 1) - left);
}

struct template {
    const float *t, *dx, *dy;
    long stride;
    float sx, sy, hxx, hxy, hyy;
};

INLINE struct template template(const struct search *s, int x, int y) {
    const struct level *l = &s->from;
    struct template p = {.stride = l->luma.stride};
    const long at = (long)y * p.stride + x;
    p.t = l->luma.at + at, p.dx = l->dx.at + at, p.dy = l->dy.at + at;
    vec xx = {0}, xy = {0}, yy = {0}, sx = {0}, sy = {0};
    for (int r = 0; r < PATCH; r++) {
        vec dx = load(p.dx + r * p.stride), dy = load(p.dy + r * p.stride);
        xx += dx * dx, xy += dx * dy, yy += dy * dy;
        sx += dx, sy += dy;
    }
    const float n = PATCH * PATCH, x1 = sum(sx), y1 = sum(sy);
    const float a = sum(xx) - x1 * x1 / n, b = sum(xy) - x1 * y1 / n, c = sum(yy) - y1 * y1 / n;
    const float inverse = 1 / fmaxf(a * c - b * b, s->flattest);
    p.sx = x1 / n, p.sy = y1 / n;
    p.hxx = c * inverse, p.hxy = -b * inverse, p.hyy = a * inverse;
    return p;
}

struct comparison {
    float ssd, dx, dy;
};

INLINE struct comparison compare(const struct template *p, const struct plane *to, int x, int y,
                                 float u, float v) {
    const struct target g = target(to, x, y, u, v);
    const long stride = p->stride;
    vec all = {0}, squares = {0}, sx = {0}, sy = {0};
    vec top = between(g.at, g.a);
    UNROLL for (int r = 0; r < PATCH; r++) {
        vec bottom = between(g.at + (r + 1) * stride, g.a);
        vec d = top + g.b * (bottom - top) - load(p->t + r * stride);
        all += d, squares += d * d;
        sx += d * load(p->dx + r * stride), sy += d * load(p->dy + r * stride);
        top = bottom;
    }
    const vec4 four = sums(all, squares, sx, sy);
    return (struct comparison){four[1] - four[0] * four[0] / (PATCH * PATCH), four[2] - four[0] * p->sx,
                               four[3] - four[0] * p->sy};
}

static void search_patch(const struct search *s, int n, int x, int y, int neighbour1, int neighbour2) {
    const struct template p = template(s, x, y);
    const struct plane *to = &s->to.luma;
    float u = s->gu[n], v = s->gv[n];
    struct comparison best = compare(&p, to, x, y, u, v);
    for (int i = 0; i < 2; i++) {
        const int k = i ? neighbour2 : neighbour1;
        if (k < 0 || (s->gu[k] == u && s->gv[k] == v)) continue;
        struct comparison c = compare(&p, to, x, y, s->gu[k], s->gv[k]);
        if (c.ssd < best.ssd) best = c, u = s->gu[k], v = s->gv[k];
    }
    const float u0 = u, v0 = v;
    for (int i = 0; i < s->iterations; i++) {
        const float du = p.hxx * best.dx + p.hxy * best.dy, dv = p.hxy * best.dx + p.hyy * best.dy;
        struct comparison c = compare(&p, to, x, y, u - du, v - dv);
        if (!(c.ssd < best.ssd)) break;
        best = c, u -= du, v -= dv;
        if (du * du + dv * dv < s->smallest_step) break;
    }
    if ((u - u0) * (u - u0) + (v - v0) * (v - v0) > s->farthest) u = u0, v = v0;
    s->gu[n] = u, s->gv[n] = v;
}

// Where patch i of a side of n samples lies.
INLINE int patch_at(const struct search *s, int i, int n) { return min(i * s->stride, n > PATCH ? n - PATCH : 0); }

static void search(const struct search *s, int j0, int j1) {
    const int w = s->from.luma.w, h = s->from.luma.h, cols = s->cols;
    for (int j = j0; j < j1; j++) {
        const int y = patch_at(s, j, h);
        for (int i = 0; i < cols; i++) {
            const int n = j * cols + i, x = patch_at(s, i, w);
            const long at = (long)min(y + PATCH / 2, h - 1) * s->u.stride + min(x + PATCH / 2, w - 1);
            s->gu[n] = s->u.at[at], s->gv[n] = s->v.at[at];
            search_patch(s, n, x, y, i > 0 ? n - 1 : -1, j > j0 ? n - cols : -1);
        }
    }
    for (int j = j1 - 1; j >= j0; j--)
        for (int i = cols - 1; i >= 0; i--) {
            const int n = j * cols + i;
            search_patch(s, n, patch_at(s, i, w), patch_at(s, j, h), i < cols - 1 ? n + 1 : -1,
                         j < j1 - 1 ? n + cols : -1);
        }
}

static void densify(const struct search *s, int y0, int y1) {
    const struct plane *from = &s->from.luma, *to = &s->to.luma;
    const int w = s->u.w;
    const long stride = from->stride;
    for (int y = y0; y < y1; y++) {
        const long row = y * stride;
        memset(s->u.at + row, 0, w * sizeof(float));
        memset(s->v.at + row, 0, w * sizeof(float));
        memset(s->sum.at + row, 0, w * sizeof(float));
    }
    for (int j = 0; j < s->rows; j++) {
        const int y = patch_at(s, j, from->h), from_row = y > y0 ? y : y0, to_row = min(y + PATCH, y1);
        if (from_row >= to_row) continue;
        for (int i = 0; i < s->cols; i++) {
            const int x = patch_at(s, i, from->w);
            const float u = s->gu[j * s->cols + i], v = s->gv[j * s->cols + i];
            const struct target g = target(to, x, y, u, v);
            const float *q = g.at + (from_row - y) * stride;
            vec top = between(q, g.a);
            for (int r = from_row; r < to_row; r++) {
                q += stride;
                const long at = r * stride + x;
                vec bottom = between(q, g.a);
                vec d = top + g.b * (bottom - top) - load(from->at + at);
                vec weight = 1.f / larger(magnitude(d), (vec){0} + 1.f);
                store(s->u.at + at, load(s->u.at + at) + weight * u);
                store(s->v.at + at, load(s->v.at + at) + weight * v);
                store(s->sum.at + at, load(s->sum.at + at) + weight);
                top = bottom;
            }
        }
    }
    for (int y = y0; y < y1; y++) {
        float *u = s->u.at + y * stride, *v = s->v.at + y * stride;
        const float *all = s->sum.at + y * stride;
        INDEPENDENT for (int x = 0; x < w; x++) u[x] /= all[x], v[x] /= all[x];
    }
}
