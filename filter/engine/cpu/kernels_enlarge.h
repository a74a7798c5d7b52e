// Pictures enlarged to twice their size, or one less, and the transpose of that.
// Rows are taken in pieces: first combined down the columns, then along the row.

enum { PIECE = 512 }; // samples of the smaller row

static void enlarge(float *dst, const float *base, float a, const float *low, const float *tx,
                    const float *ty, int h, int w, int y0, int y1) {
    const int n = (w + 1) / 2, m = (h + 1) / 2, stride = n + 2;
    float row[PIECE + 2]; // samples k0−1 … k0+len of the smaller picture, between its rows
    for (int y = y0; y < y1; y++) {
        const int odd = y % 2;
        const float *t = ty + y / 2 + 1, *middle = low + (size_t)(y / 2) * n;
        const float t0 = odd ? 0 : a * t[0], t1 = a * t[(odd ? 3 : 1) * (m + 2)],
                    t2 = a * t[(odd ? 4 : 2) * (m + 2)];
        const float *before = y / 2 > 0 ? middle - n : middle;
        const float *after = y / 2 + 1 < m ? middle + n : middle;
        for (int k0 = 0; k0 < n; k0 += PIECE) {
            const int len = min(PIECE, n - k0), from = k0 > 0 ? -1 : 0, to = k0 + len < n ? len + 1 : len;
            row[0] = row[len + 1] = 0;
            for (int k = from; k < to; k++)
                row[k + 1] = t0 * before[k0 + k] + t1 * middle[k0 + k] + t2 * after[k0 + k];
            const float *e0 = tx + k0 + 1, *e1 = e0 + stride, *e2 = e1 + stride;
            const float *o1 = e2 + stride, *o2 = o1 + stride;
            const float *b = base + (size_t)y * w + 2 * k0;
            float *d = dst + (size_t)y * w + 2 * k0;
            const int pairs = min(len, w / 2 - k0);
            INDEPENDENT for (int k = 0; k < pairs; k++) {
                d[2 * k] = b[2 * k] + (e0[k] * row[k] + e1[k] * row[k + 1] + e2[k] * row[k + 2]);
                d[2 * k + 1] = b[2 * k + 1] + (o1[k] * row[k + 1] + o2[k] * row[k + 2]);
            }
            for (int k = pairs; k < len; k++) // an odd row's last
                d[2 * k] = b[2 * k] + (e0[k] * row[k] + e1[k] * row[k + 1]);
        }
    }
}

static void enlarge_adjoint(float *dlow, const float *d, const float *tx, const float *ty, int h,
                            int w, int k0, int k1) {
    const int n = (w + 1) / 2, m = (h + 1) / 2, stride = n + 2;
    float even[PIECE + 2], odd[PIECE + 2]; // samples 2(i0−1), 2(i0−1)+1, …, of rows combined
    for (int k = k0; k < k1; k++) {
        // Rows 2k−2 … 2k+2 of d, and the weight of row k in each.
        const float *t = ty + k + 1;
        const float weight[5] = {t[2 * (m + 2) - 1], t[4 * (m + 2) - 1], t[m + 2], t[3 * (m + 2)], t[1]};
        const float *r[5];
        for (int i = 0; i < 5; i++) r[i] = d + (size_t)clamped(2 * k - 2 + i, h) * w;
        for (int i0 = 0; i0 < n; i0 += PIECE) {
            const int len = min(PIECE, n - i0), from = i0 > 0 ? -1 : 0;
            const int pairs = min(len + 1, w / 2 - i0); // of the piece and one on either side
            even[0] = odd[0] = odd[len] = even[len + 1] = odd[len + 1] = 0;
            for (int i = from; i < pairs; i++) {
                const int at = 2 * (i0 + i);
                float e = 0, o = 0;
                UNROLL for (int j = 0; j < 5; j++) {
                    e += weight[j] * r[j][at];
                    o += weight[j] * r[j][at + 1];
                }
                even[i + 1] = e, odd[i + 1] = o;
            }
            if (pairs < len + 1 && i0 + pairs < n) { // an odd row's last
                float e = 0;
                for (int j = 0; j < 5; j++) e += weight[j] * r[j][w - 1];
                even[pairs + 1] = e;
            }
            const float *e0 = tx + i0 + 1, *e1 = e0 + stride, *e2 = e1 + stride;
            const float *o1 = e2 + stride, *o2 = o1 + stride;
            float *out = dlow + (size_t)k * n + i0;
            for (int i = 0; i < len; i++)
                out[i] = e0[i + 1] * even[i + 2] + e1[i] * even[i + 1] + e2[i - 1] * even[i] +
                         o1[i] * odd[i + 1] + o2[i - 1] * odd[i];
        }
    }
}
