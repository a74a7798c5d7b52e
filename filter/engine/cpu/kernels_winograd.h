// Winograd's F(4×4,3×3), Lavin and Gray 2016, section 4: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A
// over 6×6 input tiles, the products summed over channels by 36 matrix
// multiplications.

INLINE void input_1d(const vec d[6], vec o[6]) { // Bᵀ d
    vec a = d[4] - 4.f * d[2], b = d[3] - 4.f * d[1];
    vec c = d[4] - d[2], e = d[3] - d[1];
    o[0] = 4.f * d[0] + (d[4] - 5.f * d[2]);
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + 2.f * e;
    o[4] = c - 2.f * e;
    o[5] = 4.f * d[1] + (d[5] - 5.f * d[3]);
}

INLINE void output_1d(const vec m[6], vec y[4]) { // Aᵀ m
    vec s1 = m[1] + m[2], d1 = m[1] - m[2];
    vec s2 = m[3] + m[4], d2 = m[3] - m[4];
    y[0] = m[0] + s1 + s2;
    y[1] = d1 + 2.f * d2;
    y[2] = s1 + 4.f * s2;
    y[3] = d1 + 8.f * d2 + m[5];
}

static const double weight_1d[6][3] = { // G
    {1. / 4, 0, 0},
    {-1. / 6, -1. / 6, -1. / 6},
    {-1. / 6, 1. / 6, -1. / 6},
    {1. / 24, 1. / 12, 1. / 6},
    {1. / 24, -1. / 12, 1. / 6},
    {0, 0, 1},
};

INLINE void set_factor(factor *p, float x) {
#ifdef BF16
    *p = bfloat16(x);
#else
    *p = x;
#endif
}

INLINE void store_factors(factor *p, vec x) {
#ifdef BF16
    store_bfloat16(p, x);
#else
    store(p, x);
#endif
}

static void transform_weights(void *u, const float *w, int o, int i, int out, int in, int backward,
                              int panel) {
    enum { GROUP = 1 + HALF }; // inputs that stand together
    factor *f = u;
    int outs = backward ? i : o, ins = backward ? o : i;
    for (int c = 0; c < in; c++)
        for (int j = 0; j < PAIR; j++) {
            int k = panel * PAIR + j;
            double g[3][3] = {{0}}, t[6][3];
            if (k < outs && c < ins) {
                const float *s = w + (backward ? (size_t)c * i + k : (size_t)k * i + c) * 9;
                for (int q = 0; q < 9; q++) g[q / 3][q % 3] = s[backward ? 8 - q : q];
            }
            for (int a = 0; a < 6; a++)
                for (int x = 0; x < 3; x++)
                    t[a][x] = weight_1d[a][0] * g[0][x] + weight_1d[a][1] * g[1][x] +
                              weight_1d[a][2] * g[2][x];
            for (int a = 0; a < 6; a++)
                for (int b = 0; b < 6; b++) {
                    size_t pair = ((size_t)(a * 6 + b) * (out / PAIR) + panel) * in + c / GROUP * GROUP;
                    set_factor(f + pair * PAIR + j * GROUP + c % GROUP,
                               t[a][0] * weight_1d[b][0] + t[a][1] * weight_1d[b][1] +
                                   t[a][2] * weight_1d[b][2]);
                }
        }
}

// One input tile of one block of channels, with its corner at (y0, x0), to
// v[36] at steps of vf floats. Outside of (h, w) the input is zero, and so is an
// odd last row or column when unpooling.
INLINE void input_tile(const int gate, const int unpool, const float *src, const mask_t *mask,
                       int h, int w, int y0, int x0, factor *v, size_t vf) {
    const int sw = unpool ? w / 2 : w;
    const int he = unpool ? h & ~1 : h, we = unpool ? w & ~1 : w;
    vec d[6][6], t[6][6];

#define AT(y, x)                                                                         \
    ({                                                                                   \
        const float *s_ = src + (unpool ? (size_t)((y) >> 1) * sw + ((x) >> 1)           \
                                        : (size_t)(y) * sw + (x)) * VL;                  \
        gate ? gated(s_, mask[(size_t)(y) * w + (x)]) : load(s_);                        \
    })
    if (y0 >= 0 && x0 >= 0 && y0 + 6 <= he && x0 + 6 <= we) {
        UNROLL for (int x = 0; x < 6; x++) {
            vec col[6], o[6];
            UNROLL for (int y = 0; y < 6; y++) col[y] = AT(y0 + y, x0 + x);
            input_1d(col, o);
            UNROLL for (int y = 0; y < 6; y++) t[y][x] = o[y];
        }
    } else {
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 6; x++) {
                int yy = y0 + y, xx = x0 + x;
                d[x][y] = yy >= 0 && xx >= 0 && yy < he && xx < we ? AT(yy, xx) : (vec){0};
            }
        for (int x = 0; x < 6; x++) {
            vec o[6];
            input_1d(d[x], o);
            for (int y = 0; y < 6; y++) t[y][x] = o[y];
        }
    }
#undef AT
    UNROLL for (int y = 0; y < 6; y++) {
        vec o[6];
        input_1d(t[y], o);
        UNROLL for (int x = 0; x < 6; x++) store_factors(v + (y * 6 + x) * vf, o[x]);
    }
}

// One output tile of one block of channels from m[36] at steps of mf floats.
INLINE void output_tile(const int epilogue, const int whole, const float *m, size_t mf, float scale,
                        vec bias, float *dst, mask_t *mask, int oh, int ow, int y0, int x0) {
    vec t[4][6], o[4][4];
    UNROLL for (int x = 0; x < 6; x++) {
        vec col[6], y4[4];
        UNROLL for (int y = 0; y < 6; y++) col[y] = load(m + (y * 6 + x) * mf);
        output_1d(col, y4);
        UNROLL for (int y = 0; y < 4; y++) t[y][x] = y4[y];
    }
    const int ny = whole ? 4 : min(4, oh - y0), nx = whole ? 4 : min(4, ow - x0);
    UNROLL for (int y = 0; y < 4; y++) {
        output_1d(t[y], o[y]);
        UNROLL for (int x = 0; x < 4; x++) {
            if (epilogue == GRADIENT) {
                if (y < ny && x < nx)
                    store(dst + ((size_t)(y0 + y) * ow + x0 + x) * VL, scale * o[y][x]);
                continue;
            }
            o[y][x] += bias;
            ivec p = o[y][x] > 0.f;
            o[y][x] = (vec)((ivec)o[y][x] & p);
            if (y < ny && x < nx) {
                size_t q = (size_t)(y0 + y) * ow + x0 + x;
                if (epilogue == RELU) store(dst + q * VL, o[y][x]);
                if (epilogue != RELU_MAXIMUM) mask[q] = bits(p);
            }
        }
    }
    if (epilogue != RELU_AVERAGE && epilogue != RELU_MAXIMUM) return;
    UNROLL for (int y = 0; y < 4; y += 2) UNROLL for (int x = 0; x < 4; x += 2) {
        if (y + 1 >= ny || x + 1 >= nx) continue;
        vec a = o[y][x], b = o[y][x + 1], c = o[y + 1][x], d = o[y + 1][x + 1], r;
        if (epilogue == RELU_AVERAGE) {
            r = .25f * ((a + b) + (c + d));
        } else { // of equals the first wins
            r = vmax(vmax(a, b), vmax(c, d));
            ivec left = r > 0.f, won;
            mask_t *q = mask + (size_t)(y0 + y) * ow + x0 + x;
            won = left & (a == r), left &= ~won, q[0] = bits(won);
            won = left & (b == r), left &= ~won, q[1] = bits(won);
            won = left & (c == r), left &= ~won, q[ow] = bits(won);
            won = left & (d == r), q[ow + 1] = bits(won);
        }
        store(dst + ((size_t)((y0 + y) / 2) * (ow / 2) + (x0 + x) / 2) * VL, r);
    }
}

#define INPUT(NAME, GATE, UNPOOL)                                                            \
    NOINLINE void NAME(const float *src, const mask_t *mask, int h, int w, int y0, int x0,   \
                       factor *v, size_t vf) {                                               \
        input_tile(GATE, UNPOOL, src, mask, h, w, y0, x0, v, vf);                            \
    }
INPUT(input_plain, 0, 0)
INPUT(input_gated, 1, 0)
INPUT(input_unpooled, 1, 1)

#define OUTPUT(NAME, EPILOGUE)                                                               \
    NOINLINE void NAME(const float *m, size_t mf, float scale, const float *bias,            \
                       float *dst, mask_t *mask, int oh, int ow, int y0, int x0) {           \
        vec b = EPILOGUE == GRADIENT ? (vec){0} : load(bias);                                \
        if (y0 + 4 <= oh && x0 + 4 <= ow)                                                    \
            output_tile(EPILOGUE, 1, m, mf, scale, b, dst, mask, oh, ow, y0, x0);            \
        else                                                                                 \
            output_tile(EPILOGUE, 0, m, mf, scale, b, dst, mask, oh, ow, y0, x0);            \
    }
OUTPUT(output_gradient, GRADIENT)
OUTPUT(output_relu, RELU)
OUTPUT(output_average, RELU_AVERAGE)
OUTPUT(output_maximum, RELU_MAXIMUM)

static void (*const outputs[])(const float *, size_t, float, const float *, float *, mask_t *, int,
                               int, int, int) = {
    [GRADIENT] = output_gradient,
    [RELU] = output_relu,
    [RELU_AVERAGE] = output_average,
    [RELU_MAXIMUM] = output_maximum,
};

static void conv(const struct conv *c, int block, float *work) {
    const int oh = c->h + 2 * c->pad - 2, ow = c->w + 2 * c->pad - 2;
    const int tw = (ow + 3) / 4, t0 = block * c->tiles, n = min(c->tiles, c->tile_count - t0);
    // The slack keeps the 36 slices from falling into the same cache sets.
    const size_t vf = (size_t)c->in * c->tiles + 5 * VL, mf = (size_t)c->out * c->tiles + 5 * VL;
    const int64_t step = (int64_t)c->tiles * VL;
    factor *v = (factor *)work;
    float *m = work + 36 * vf; // past as many floats

    const size_t sp = c->unpool ? (size_t)(c->h / 2) * (c->w / 2) : (size_t)c->h * c->w;
    for (int i = 0; i < c->in / VL; i++) {
        const float *src = c->src + i * sp * VL;
        const mask_t *mask = c->gate ? (const mask_t *)c->gate + (size_t)i * c->h * c->w : 0;
        for (int t = 0; t < n; t++) {
            int y0 = (t0 + t) / tw * 4 - c->pad, x0 = (t0 + t) % tw * 4 - c->pad;
            (!c->gate ? input_plain : c->unpool ? input_unpooled : input_gated)(
                src, mask, c->h, c->w, y0, x0, v + i * step + t * VL, vf);
        }
    }
    const factor *u = c->u;
    for (int f = 0; f < 36; f++)
        multiply(HALF, (const float *)(u + (size_t)f * c->in * c->out),
                 (const float *)(v + f * vf), m + f * mf, c->in >> HALF, c->out, n, step >> HALF,
                 step, 0);
    const int pooled = c->epilogue == RELU_AVERAGE || c->epilogue == RELU_MAXIMUM;
    const size_t dp = pooled ? (size_t)(oh / 2) * (ow / 2) : (size_t)oh * ow;
    for (int o = 0; o < c->stored / VL; o++)
        for (int t = 0; t < n; t++)
            outputs[c->epilogue](m + o * step + t * VL, mf, c->scale, c->bias + o * VL,
                                 c->dst + o * dp * VL, (mask_t *)c->mask + (size_t)o * oh * ow, oh,
                                 ow, (t0 + t) / tw * 4, (t0 + t) % tw * 4);
}
