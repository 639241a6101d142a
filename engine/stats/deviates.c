/* Differences of counts as normal deviates. Pure; any thread. */
#include "engine/stats/deviates.h"

#include <math.h>

static double likelihood_part(double observed, double expected)
{
    return observed > 0 ? observed * log(observed / expected) : 0;
}

double deviates_mix(const uint64_t *now, const uint64_t *base, int n, double *distance)
{
    uint64_t n_now = 0, n_base = 0;
    double g = 0, apart = 0;
    int used = 0;
    *distance = 0;
    for (int i = 0; i < n; i++) {
        n_now += now[i];
        n_base += base[i];
    }
    if (n_now == 0 || n_base == 0)
        return 0;
    double all = (double)(n_now + n_base);
    for (int i = 0; i < n; i++) {
        double both = (double)(now[i] + base[i]);
        used += both > 0;
        g += likelihood_part((double)now[i], both * (double)n_now / all) +
             likelihood_part((double)base[i], both * (double)n_base / all);
        apart += fabs((double)now[i] / (double)n_now - (double)base[i] / (double)n_base);
    }
    *distance = apart / 2;
    if (used < 2)
        return 0;
    double freedom = used - 1, part = 2 / (9 * freedom);
    return (cbrt(2 * g / freedom) - (1 - part)) / sqrt(part);
}

double deviates_share(uint64_t part, uint64_t whole, uint64_t base_part, uint64_t base)
{
    if (whole == 0 || base == 0)
        return 0;
    double n = (double)whole, m = (double)base;
    double sign = (double)part / n > (double)base_part / m ? 1 : -1;
    double x = (double)part - sign / 2, y = (double)base_part + sign / 2;
    if (sign * (x / n - y / m) <= 0)
        return 0;
    double pooled = (x + y) / (n + m);
    double g = likelihood_part(x, n * pooled) + likelihood_part(y, m * pooled) +
               likelihood_part(n - x, n * (1 - pooled)) + likelihood_part(m - y, m * (1 - pooled));
    return sign * sqrt(2 * fmax(g, 0));
}

double deviates_count(double count, double expected)
{
    return 2 * (sqrt(count + 0.375) - sqrt(expected + 0.375));
}
