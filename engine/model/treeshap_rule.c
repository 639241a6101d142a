/* Gauss-Legendre rules: Newton's method on the Legendre polynomials from Tricomi's first guess
 * (Abramowitz and Stegun, "Handbook of Mathematical Functions", 25.4.29 and 22.7.10). */
#include <math.h>

#include "engine/model/treeshap_priv.h"

#define MAX_STEPS 20

/* P_n(x), and its derivative. */
static double legendre(size_t n, double x, double *slope)
{
    double before = 1, value = x;
    for (size_t k = 2; k <= n; k++) {
        double next = ((double)(2 * k - 1) * x * value - (double)(k - 1) * before) / (double)k;
        before = value;
        value = next;
    }
    *slope = (double)n * (x * value - before) / (x * x - 1);
    return value;
}

void shap_rule(size_t n, double *t, double *weights)
{
    for (size_t i = 0; i < n; i++) {
        double x = cos(M_PI * ((double)i + 0.75) / ((double)n + 0.5)), slope = 1, step = 1;
        for (int k = 0; k < MAX_STEPS && fabs(step) > 1e-15; k++) {
            step = legendre(n, x, &slope) / slope;
            x -= step;
        }
        (void)legendre(n, x, &slope);
        t[i] = (1 - x) / 2;
        weights[i] = 1 / ((1 - x * x) * slope * slope);
    }
}
