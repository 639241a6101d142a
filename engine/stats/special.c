/* Special functions. Prefactors are C. Loader's saddle-point forms ("Fast and Accurate Computation
 * of Binomial Probabilities", 2000), which lose no digits when the arguments are large; series and
 * continued fractions as in Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.5.29,
 * 6.5.31 and 26.5.8, the latter two by Lentz's method. Pure functions, any thread. */
#include "engine/stats/special.h"

#include <float.h>
#include <math.h>

#define MAX_TERMS    1000000
#define TINY         1e-300
#define HALF_LOG_2PI 0.91893853320467274178

/* log(n!) less Stirling's formula. */
static double stirling_error(double n)
{
    static const double terms[] = {1.0 / 12, 1.0 / 360, 1.0 / 1260, 1.0 / 1680, 1.0 / 1188};
    if (n <= 0)
        return 0; /* used with n log n = 0 only */
    if (n < 16)
        return lgamma(n + 1) - (n + 0.5) * log(n) + n - HALF_LOG_2PI;
    double nn = n * n;
    return (terms[0] - (terms[1] - (terms[2] - (terms[3] - terms[4] / nn) / nn) / nn) / nn) / n;
}

/* x log(x / m) + m - x, also where x and m are close. */
static double deviance(double x, double m)
{
    if (x == 0)
        return m;
    if (fabs(x - m) >= 0.1 * (x + m))
        return x * log(x / m) + m - x;
    double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v;
    for (int j = 1; j < 1000; j++) {
        term *= v * v;
        double next = sum + term / (2 * j + 1);
        if (next == sum)
            break;
        sum = next;
    }
    return sum;
}

/* m^x e^-m / gamma(x + 1) */
static double poisson(double x, double m)
{
    if (m == 0)
        return x == 0;
    if (x == 0)
        return exp(-m);
    return exp(-stirling_error(x) - deviance(x, m)) / sqrt(2 * M_PI * x);
}

/* x successes and y failures. */
static double binomial(double x, double y, double p, double q)
{
    double n = x + y;
    if (p <= 0 || q <= 0)
        return p <= 0 ? x == 0 : y == 0;
    if (x == 0)
        return exp(p < 0.1 ? n * log1p(-p) : n * log(q));
    if (y == 0)
        return exp(q < 0.1 ? n * log1p(-q) : n * log(p));
    double exponent = stirling_error(n) - stirling_error(x) - stirling_error(y) -
                      deviance(x, n * p) - deviance(y, n * q);
    return exp(exponent) * sqrt(n / (2 * M_PI * x * y));
}

double special_binomial(double x, double n, double p, double q)
{
    return x < 0 || x > n ? 0 : binomial(x, n - x, p, q);
}

static double gamma_series(double a, double x)
{
    double sum = 1, term = 1;
    for (int i = 1; i < MAX_TERMS && term > sum * DBL_EPSILON / 4; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return poisson(a, x) * sum;
}

static double gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int i = 1; i < MAX_TERMS; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = b + an / c;
        c = fabs(c) < TINY ? TINY : c;
        h *= c * d;
        if (fabs(c * d - 1) < DBL_EPSILON)
            break;
    }
    return poisson(a, x) * a * h;
}

double special_gamma_q(double a, double x)
{
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
}

static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double h = d;
    for (int i = 1; i < MAX_TERMS; i++) {
        double factor = 1;
        for (int odd = 0; odd < 2; odd++) {
            double m = i, step = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                                     : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + step * d;
            d = 1 / (fabs(d) < TINY ? TINY : d);
            c = 1 + step / c;
            c = fabs(c) < TINY ? TINY : c;
            factor = c * d;
            h *= factor;
        }
        if (fabs(factor - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

double special_beta(double a, double b, double x)
{
    if (!(a > 0) || !(b > 0) || !(x >= 0 && x <= 1))
        return NAN;
    if (x == 0 || x == 1)
        return x;
    double front = binomial(a, b, x, 1 - x) / (a + b);
    if (x < (a + 1) / (a + b + 2))
        return front * b * beta_fraction(a, b, x);
    return 1 - front * a * beta_fraction(b, a, 1 - x);
}

double special_normal_below(double x)
{
    return 0.5 * erfc(-x / M_SQRT2);
}

double special_normal_above(double x)
{
    return 0.5 * erfc(x / M_SQRT2);
}

/* Abramowitz and Stegun 26.2.23 to begin with, then Halley's method. */
double special_normal_quantile(double share)
{
    if (!(share >= 0 && share <= 1))
        return NAN;
    if (share == 0 || share == 1)
        return share == 0 ? -INFINITY : INFINITY;
    if (share > 0.5)
        return -special_normal_quantile(1 - share);
    double t = sqrt(-2 * log(share));
    double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                   (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
               t;
    for (int i = 0; i < 4; i++) {
        double density = exp(-x * x / 2) / sqrt(2 * M_PI);
        double step = (special_normal_below(x) - share) / density;
        x -= step / (1 + x * step / 2);
    }
    return x;
}

double special_chi_square_above(double x, double freedom)
{
    return x <= 0 ? 1 : special_gamma_q(freedom / 2, x / 2);
}

/* Bisection: called once a feature at most. */
double special_chi_square_quantile(double share_above, double freedom)
{
    if (!(share_above > 0 && share_above < 1) || !(freedom > 0))
        return NAN;
    double low = 0, high = freedom + 10;
    while (special_chi_square_above(high, freedom) > share_above)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        if (special_chi_square_above(middle, freedom) > share_above)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double special_student_beyond(double t, double freedom)
{
    if (isnan(t) || !(freedom > 0))
        return NAN;
    return special_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

/* Abramowitz and Stegun 26.5.24. */
double special_binomial_at_least(double k, double n, double p)
{
    if (k <= 0)
        return 1;
    if (k > n)
        return 0;
    return special_beta(k, n - k + 1, p);
}
