// The variational refinement.

// bilinear samples p at 8 points, its border going on outside.
INLINE vec bilinear(const struct plane *p, vec x, vec y) {
    const vec zero = {0};
    x = smaller(larger(x, zero), zero + (float)(p->w - 1));
    y = smaller(larger(y, zero), zero + (float)(p->h - 1));
    const ivec i = __builtin_convertvector(x, ivec), j = __builtin_convertvector(y, ivec);
    const vec a = x - __builtin_convertvector(i, vec), b = y - __builtin_convertvector(j, vec);
    const ivec at = j * p->stride + i;
    vec q[4] = {{0}};
    for (int k = 0; k < VL; k++) {
        const float *s = p->at + at[k];
        q[0][k] = s[0], q[1][k] = s[1], q[2][k] = s[p->stride], q[3][k] = s[p->stride + 1];
    }
    const vec top = q[0] + a * (q[1] - q[0]), bottom = q[2] + a * (q[3] - q[2]);
    return top + b * (bottom - top);
}

// Rows are taken 8 samples at a time, the last ones' margin along with them: what
// it gets is overwritten, or never read.
static void move(const struct refine *r, int y0, int y1) {
    const int w = r->u.w;
    const vec places = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int y = y0; y < y1; y++) {
        const float *i0 = row(&r->i0, y), *u = row(&r->u, y), *v = row(&r->v, y);
        float *u0 = row(&r->u0, y), *v0 = row(&r->v0, y), *mean = row(&r->mean, y), *change = row(&r->change, y);
        for (int x = 0; x < w; x += VL) {
            const vec dx = load(u + x), dy = load(v + x), a = load(i0 + x);
            const vec b = bilinear(&r->i1, places + (float)x + dx, dy + (float)y);
            store(u0 + x, dx), store(v0 + x, dy);
            store(mean + x, (a + b) / 2.f), store(change + x, b - a);
        }
        extend(mean, w, 2), extend(change, w, 2);
    }
}

INLINE vec across(const float *p) { return (8.f * (load(p + 1) - load(p - 1)) - (load(p + 2) - load(p - 2))) / 12.f; }

struct column {
    const float *p[5]; // rows y−2 … y+2
};

INLINE struct column column(const struct plane *p, int y) {
    struct column c;
    for (int i = 0; i < 5; i++) c.p[i] = clamped_row(p, y + i - 2);
    return c;
}

INLINE vec down(const struct column *c, int x) {
    return (8.f * (load(c->p[3] + x) - load(c->p[1] + x)) - (load(c->p[4] + x) - load(c->p[0] + x))) / 12.f;
}

INLINE vec normaliser(const struct refine *r, vec x, vec y) { return 1.f / square_root(x * x + y * y + r->zeta2); }

INLINE vec slope(const struct refine *r, vec squares) { return 1.f / square_root(squares + r->epsilon2); }

INLINE void put_row(const struct row3 *d, long at, vec n, vec x, vec y, vec t) {
    store(d->x.at + at, n * x), store(d->y.at + at, n * y), store(d->t.at + at, n * t);
}

static void linearise1(const struct refine *r, int y0, int y1) {
    const int w = r->u.w;
    for (int y = y0; y < y1; y++) {
        const struct column mean = column(&r->mean, y);
        float *gx = row(&r->gx, y), *gy = row(&r->gy, y);
        const float *change = row(&r->change, y);
        for (int x = 0; x < w; x += VL) {
            const vec a = across(mean.p[2] + x), b = down(&mean, x);
            store(gx + x, a), store(gy + x, b);
            put_row(&r->rows[0], (long)y * r->u.stride + x, normaliser(r, a, b), a, b, load(change + x));
        }
        extend(gx, w, 2), extend(gy, w, 2);
    }
}

static void linearise2(const struct refine *r, int y0, int y1) {
    const int w = r->u.w;
    for (int y = y0; y < y1; y++) {
        const struct column gy = column(&r->gy, y), change = column(&r->change, y);
        const float *gx = row(&r->gx, y);
        for (int x = 0; x < w; x += VL) {
            const vec xx = across(gx + x), xy = across(gy.p[2] + x), yy = down(&gy, x);
            const long at = (long)y * r->u.stride + x;
            put_row(&r->rows[1], at, normaliser(r, xx, xy), xx, xy, across(change.p[2] + x));
            put_row(&r->rows[2], at, normaliser(r, xy, yy), xy, yy, down(&change, x));
        }
    }
}

INLINE void slopes(const float *above, const float *p, const float *under, vec *right, vec *below) {
    const vec here = load(p), a = load(p + 1) - here, c = load(under) - here;
    const vec b = (load(under) - load(above) + load(under + 1) - load(above + 1)) / 4.f;
    const vec d = (load(p + 1) - load(p - 1) + load(under + 1) - load(under - 1)) / 4.f;
    *right += a * a + b * b;
    *below += c * c + d * d;
}

static void weigh(const struct refine *r, int y0, int y1) {
    const int w = r->u.w;
    for (int y = y0; y < y1; y++) {
        const float *u0 = clamped_row(&r->u, y - 1), *u1 = row(&r->u, y), *u2 = clamped_row(&r->u, y + 1);
        const float *v0 = clamped_row(&r->v, y - 1), *v1 = row(&r->v, y), *v2 = clamped_row(&r->v, y + 1);
        float *right = row(&r->right, y), *below = row(&r->below, y);
        for (int x = 0; x < w; x += VL) {
            vec a = {0}, b = {0};
            slopes(u0 + x, u1 + x, u2 + x, &a, &b);
            slopes(v0 + x, v1 + x, v2 + x, &a, &b);
            store(right + x, r->alpha * slope(r, a)), store(below + x, r->alpha * slope(r, b));
        }
        memset(right + w - 1, 0, 9 * sizeof(float)); // the margin was written to
        if (y == r->u.h - 1)
            memset(below, 0, (w + VL) * sizeof(float));
        else
            memset(below + w, 0, VL * sizeof(float));
    }
}

// halves shares out 16 samples of a row among the colours.
INLINE void halves(float *even, float *odd, const float *p) {
    UNROLL for (int j = 0; j < VL; j++) even[j] = p[2 * j], odd[j] = p[2 * j + 1];
}

enum { D11, D22, A12, B1, B2, RIGHT, BELOW, PARTS };

static void assemble(const struct refine *r, const struct system *s, int y0, int y1) {
    const int w = r->u.w;
    const long stride = r->u.stride;
    for (int y = y0; y < y1; y++) {
        const int even = y & 1, odd = 1 - even;
        float *const parts[PARTS][2] = {
            {s->d11[even], s->d11[odd]}, {s->d22[even], s->d22[odd]},     {s->a12[even], s->a12[odd]},
            {s->b1[even], s->b1[odd]},   {s->b2[even], s->b2[odd]},       {s->right[even], s->right[odd]},
            {s->below[even], s->below[odd]},
        };
        for (int x = 0; x < w; x += 2 * VL) {
            float part[PARTS][2 * VL];
            for (int k = 0; k < 2 * VL; k += VL) {
                const long at = y * stride + x + k;
                const vec u0 = load(r->u0.at + at), v0 = load(r->v0.at + at);
                const vec du = load(r->u.at + at) - u0, dv = load(r->v.at + at) - v0;
                vec dx[3], dy[3], t[3], residual[3];
                UNROLL for (int i = 0; i < 3; i++) {
                    dx[i] = load(r->rows[i].x.at + at), dy[i] = load(r->rows[i].y.at + at);
                    const vec dt = load(r->rows[i].t.at + at);
                    t[i] = dt - dx[i] * u0 - dy[i] * v0;
                    residual[i] = dx[i] * du + dy[i] * dv + dt;
                }
                const vec brightness = r->delta * slope(r, residual[0] * residual[0]);
                const vec gradient = r->gamma * slope(r, residual[1] * residual[1] + residual[2] * residual[2]);
                vec a11 = {0}, a12 = {0}, a22 = {0}, b1 = {0}, b2 = {0};
                UNROLL for (int i = 0; i < 3; i++) {
                    const vec px = (i ? gradient : brightness) * dx[i], py = (i ? gradient : brightness) * dy[i];
                    a11 += px * dx[i], a12 += px * dy[i], a22 += py * dy[i];
                    b1 -= px * t[i], b2 -= py * t[i];
                }
                const vec right = load(r->right.at + at), below = load(r->below.at + at);
                const vec all = right + below + load(r->right.at + at - 1) + load(r->below.at + at - stride) + r->tiny;
                store(part[D11] + k, 1.f / (a11 + all)), store(part[D22] + k, 1.f / (a22 + all));
                store(part[A12] + k, a12), store(part[B1] + k, b1), store(part[B2] + k, b2);
                store(part[RIGHT] + k, right), store(part[BELOW] + k, below);
            }
            if (w - x < 2 * VL)
                for (int p = 0; p < PARTS; p++) memset(part[p] + w - x, 0, (2 * VL - (w - x)) * sizeof(float));
            const long at = (long)y * s->stride + x / 2;
            for (int p = 0; p < PARTS; p++) halves(parts[p][0] + at, parts[p][1] + at, part[p]);
        }
    }
}

static void load_flow(const struct refine *r, const struct system *s, int y0, int y1) {
    const int w = r->u.w;
    for (int y = y0; y < y1; y++) {
        const int even = y & 1;
        const long at = (long)y * s->stride;
        for (int k = 0; k < 2; k++) {
            float *p = row(k ? &r->v : &r->u, y);
            float *a = (k ? s->v : s->u)[even] + at, *b = (k ? s->v : s->u)[1 - even] + at;
            INDEPENDENT for (int j = 0; j < w / 2; j++) a[j] = p[2 * j], b[j] = p[2 * j + 1];
            if (w & 1) a[w / 2] = p[w - 1];
            extend(p, w, 1);
        }
    }
}

static void store_flow(const struct refine *r, const struct system *s, int y0, int y1) {
    const int w = r->u.w;
    for (int y = y0; y < y1; y++) {
        const int even = y & 1;
        const long at = (long)y * s->stride;
        for (int k = 0; k < 2; k++) {
            float *p = row(k ? &r->v : &r->u, y);
            const float *a = (k ? s->v : s->u)[even] + at, *b = (k ? s->v : s->u)[1 - even] + at;
            INDEPENDENT for (int j = 0; j < w / 2; j++) p[2 * j] = a[j], p[2 * j + 1] = b[j];
            if (w & 1) p[w - 1] = a[w / 2];
            extend(p, w, 1);
        }
    }
}

static void relax(const struct system *s, int c, int y0, int y1) {
    const int n = 1 - c, half = (s->w + 1) / 2, stride = s->stride;
    for (int y = y0; y < y1; y++) {
        const long at = (long)y * stride;
        const int o = (y + c) & 1;
        float *u = s->u[c] + at, *v = s->v[c] + at;
        const float *un = s->u[n] + at, *vn = s->v[n] + at;
        const float *left = s->right[n] + at + o - 1, *right = s->right[c] + at;
        const float *above = s->below[n] + at - stride, *below = s->below[c] + at;
        const float *d11 = s->d11[c] + at, *d22 = s->d22[c] + at, *a12 = s->a12[c] + at;
        const float *b1 = s->b1[c] + at, *b2 = s->b2[c] + at;
        for (int j = 0; j < half; j += VL) {
            const vec wl = load(left + j), wr = load(right + j), wu = load(above + j), wd = load(below + j);
            const vec su = wl * load(un + j + o - 1) + wr * load(un + j + o) + wu * load(un + j - stride) + wd * load(un + j + stride);
            const vec sv = wl * load(vn + j + o - 1) + wr * load(vn + j + o) + wu * load(vn + j - stride) + wd * load(vn + j + stride);
            const vec a = load(a12 + j);
            vec x = load(u + j), z = load(v + j);
            x += s->relaxation * (load(d11 + j) * (load(b1 + j) - a * z + su) - x);
            z += s->relaxation * (load(d22 + j) * (load(b2 + j) - a * x + sv) - z);
            store(u + j, x), store(v + j, z);
        }
    }
}
