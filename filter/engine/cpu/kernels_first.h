// The first convolution, there and back: between the planar picture and the first
// activation. With three channels a direct convolution multiplies less than
// Winograd's does with its padded channels, and nothing stands between.

enum {
    FIRST = 27,                            // weights of an output: 3×3 places of 3 channels
    ACROSS = VL == 16 ? 8 : 4,             // pixels at a time on the way back
    EDGE = 2 + (ROWS > ACROSS ? ROWS : ACROSS), // readable beside a row
};

// Row y of the window normalised, with the pixel before and the pixel after it; the
// picture's border is replicated.
static void first_row(float *dst, const struct first *f, int c, int y) {
    const struct window *s = &f->area;
    const float *row = f->x + ((size_t)c * s->height + clamped(s->y + y, s->height)) * s->width;
    const float mean = f->mean[c], scale = 1 / f->std[c];
    dst[0] = (row[clamped(s->x - 1, s->width)] - mean) * scale;
    for (int x = 0; x < s->w; x++) dst[x + 1] = (row[s->x + x] - mean) * scale;
    dst[s->w + 1] = (row[clamped(s->x + s->w, s->width)] - mean) * scale;
}

// ROWS pixels and two vectors of outputs, as micro has them.
INLINE void first_pixels(vec acc[ROWS][2], const float *u, const float *bias, const float *rows,
                         size_t step) {
    UNROLL for (int r = 0; r < ROWS; r++) acc[r][0] = load(bias), acc[r][1] = load(bias + VL);
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++)
            for (int c = 0; c < 3; c++, u += PAIR) {
                const float *v = rows + (size_t)(3 * y + c) * step + x;
                vec u0 = load(u), u1 = load(u + VL);
                UNROLL for (int r = 0; r < ROWS; r++) {
                    acc[r][0] = acc[r][0] + v[r] * u0;
                    acc[r][1] = acc[r][1] + v[r] * u1;
                }
            }
}

static void first_forward(const struct first *f, int y0, int y1, float *work) {
    const int w = f->area.w;
    const size_t step = w + EDGE, p = (size_t)f->area.h * w;
    memset(work, 0, 9 * step * sizeof *work);
    for (int y = y0; y < y1; y++) {
        for (int i = 0; i < 3; i++)
            for (int c = 0; c < 3; c++) first_row(work + (3 * i + c) * step, f, c, y + i - 1);
        for (int o = 0; o < f->out; o += PAIR) {
            const float *u = f->u + (size_t)o * FIRST;
            for (int x = 0; x < w; x += ROWS) {
                vec acc[ROWS][2];
                first_pixels(acc, u, f->bias + o, work + x, step);
                for (int r = 0; r < min(ROWS, w - x); r++)
                    for (int k = 0; k < 2; k++) {
                        size_t q = (size_t)(o / VL + k) * p + (size_t)y * w + x + r;
                        ivec live = acc[r][k] > 0.f;
                        store(f->act + q * VL, (vec)((ivec)acc[r][k] & live));
                        ((mask_t *)f->mask)[q] = bits(live);
                    }
            }
        }
    }
}

// Row y of the gradient before the ReLU, zeros around it, to [out/VL][w + …][VL].
static void first_gradient_row(float *dst, const struct first *f, int y, size_t step) {
    const int w = f->area.w;
    const size_t p = (size_t)f->area.h * w;
    if (y < 0 || y >= f->area.h) {
        memset(dst, 0, f->out * step * sizeof *dst);
        return;
    }
    for (int o = 0; o < f->out / VL; o++, dst += step * VL) {
        const size_t q = o * p + (size_t)y * w;
        const mask_t *mask = (const mask_t *)f->mask + q;
        for (int x = 0; x < w; x++) store(dst + (x + 2) * VL, gated(f->dact + (q + x) * VL, mask[x]));
    }
}

// The gradient at the pixels x−1 … x−2+ACROSS of a row, from three rows.
INLINE void first_back_pixels(float *dst[3], const float *rows[3], const float *u, int out, int x,
                              size_t step) {
    vec acc[ACROSS][3];
    UNROLL for (int r = 0; r < ACROSS; r++) acc[r][0] = acc[r][1] = acc[r][2] = (vec){0};
    for (int o = 0; o < out; o += VL) {
        const float *w = u + (size_t)(o / PAIR) * FIRST * PAIR + o % PAIR;
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++, w += 3 * PAIR) { // the place that saw the pixel at (i, j)
                const float *g = rows[2 - i] + ((size_t)(o / VL) * step + x + 2 - j) * VL;
                vec w0 = load(w), w1 = load(w + PAIR), w2 = load(w + 2 * PAIR);
                UNROLL for (int r = 0; r < ACROSS; r++) {
                    vec v = load(g + r * VL);
                    acc[r][0] = acc[r][0] + v * w0;
                    acc[r][1] = acc[r][1] + v * w1;
                    acc[r][2] = acc[r][2] + v * w2;
                }
            }
    }
    for (int r = 0; r < ACROSS; r++)
        for (int c = 0; c < 3; c++) {
            float s = 0;
            for (int k = 0; k < VL; k++) s += acc[r][c][k];
            dst[c][x + r] = s;
        }
}

static void first_back(const struct first *f, int y0, int y1, float *work) {
    const struct window *s = &f->area;
    const size_t step = s->w + 2 + EDGE, plane = (size_t)s->height * s->width;
    const size_t ring = (size_t)f->out * step;
    float *dst[3], *pixels = work + 3 * ring;
    memset(work, 0, 3 * ring * sizeof *work);
    for (int c = 0; c < 3; c++) dst[c] = pixels + c * step;
    // The picture's border repeats its outermost pixels.
    const int first = y0 == 0 && s->y == 0 ? -1 : y0;
    const int last = y1 == s->h && s->y + s->h == s->height ? y1 : y1 - 1;
    for (int y = first - 1; y <= last + 1; y++) {
        first_gradient_row(work + (y + 3) % 3 * ring, f, y, step);
        if (y <= first) continue;
        const int q = y - 1; // of the row that is done
        const float *rows[3];
        for (int i = 0; i < 3; i++) rows[i] = work + (q + i + 2) % 3 * ring;
        for (int x = 0; x < s->w + 2; x += ACROSS)
            first_back_pixels(dst, rows, f->u, f->out, x, step);
        for (int c = 0; c < 3; c++) {
            float *row = f->dx + c * plane + (size_t)(s->y + clamped(q, s->h)) * s->width + s->x;
            const float scale = 1 / f->std[c], *d = dst[c] + 1;
            for (int x = 0; x < s->w; x++) row[x] += scale * d[x];
            if (s->x == 0) row[0] += scale * d[-1];
            if (s->x + s->w == s->width) row[s->w - 1] += scale * d[s->w];
        }
    }
}
