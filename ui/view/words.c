/* Numbers and times as people read them. Tables of units; the rest is how many digits are earned.
 * Pure functions. */
#include "ui/view/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"

#define THIN_SPACE "\xe2\x80\x89"

const char words_nodata[] = "no data";

static char *say(char out[WORD_SIZE], const char *text)
{
    snprintf(out, WORD_SIZE, "%s", text);
    return out;
}

char *words_count(uint64_t n, char out[WORD_SIZE])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *place = out;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            memcpy(place, THIN_SPACE, 3);
            place += 3;
        }
        *place++ = digits[i];
    }
    *place = '\0';
    return out;
}

char *words_rate(double per_s, char out[WORD_SIZE])
{
    if (!isfinite(per_s) || per_s < 0)
        return say(out, words_nodata);
    if (per_s < 99.95) {
        snprintf(out, WORD_SIZE, per_s == 0 ? "%.0f/s" : "%.1f/s", per_s);
        return out;
    }
    char count[WORD_SIZE];
    snprintf(out, WORD_SIZE, "%.40s/s", words_count((uint64_t)llround(per_s), count));
    return out;
}

/* `value` in three significant digits, without a fraction from 100 on. */
static void three_digits(double value, const char *unit, char out[WORD_SIZE])
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(out, WORD_SIZE, "%.*f" THIN_SPACE "%s", decimals, value, unit);
}

char *words_latency(double us, char out[WORD_SIZE])
{
    static const struct {
        double below, scale;
        const char *unit;
    } units[] = {{999.5, 1, "µs"}, {999.5e3, 1e3, "ms"}, {INFINITY, 1e6, "s"}};
    if (!isfinite(us) || us < 0)
        return say(out, words_nodata);
    size_t unit = 0;
    while (us >= units[unit].below)
        unit++;
    if (unit == 0)
        snprintf(out, WORD_SIZE, "%.0f" THIN_SPACE "%s", us, units[0].unit);
    else
        three_digits(us / units[unit].scale, units[unit].unit, out);
    return out;
}

char *words_quantile(double us, double quantile, uint64_t n, char out[WORD_SIZE])
{
    if (n == 0 || !isfinite(us))
        return say(out, words_nodata);
    if ((double)n * (1 - quantile) < 0.999) /* .999: 1 - .99 is a little less than .01 */
        return say(out, "too few");
    return words_latency(us, out);
}

char *words_share(double share, uint64_t n, char out[WORD_SIZE])
{
    if (!isfinite(share) || n == 0)
        return say(out, words_nodata);
    double at_most = 1.0 / (double)n;
    double error = sqrt(fmax(share * (1 - share), 0) * at_most);
    if (error < at_most)
        error = at_most;
    int decimals = error > 0.005 ? 0 : error > 0.0005 ? 1 : 2;
    snprintf(out, WORD_SIZE, "%.*f" THIN_SPACE "%%", decimals, 100 * share);
    return out;
}

char *words_percent(double share, char out[WORD_SIZE])
{
    if (!isfinite(share))
        return say(out, words_nodata);
    double percent = 100 * share;
    int decimals = 0;
    while (decimals < 3 && fabs(percent - round(percent)) > 1e-6) {
        percent *= 10;
        decimals++;
    }
    snprintf(out, WORD_SIZE, "%.*f" THIN_SPACE "%%", decimals, 100 * share);
    return out;
}

/* Without the zero before the point: what stands there is noise in a column of such numbers. */
static char *without_zero(char out[WORD_SIZE])
{
    char *zero = out[0] == '-' ? out + 1 : out;
    if (zero[0] == '0' && zero[1] == '.')
        memmove(zero, zero + 1, strlen(zero));
    return out;
}

char *words_statistic(double value, double noise, char out[WORD_SIZE])
{
    if (!isfinite(value))
        return say(out, words_nodata);
    int decimals = isfinite(noise) && noise > 0 && noise < 0.005 ? 3 : 2;
    snprintf(out, WORD_SIZE, "%.*f", value >= 9.995 ? 1 : decimals, value);
    return without_zero(out);
}

char *words_score(double score, char out[WORD_SIZE])
{
    if (!isfinite(score))
        return say(out, words_nodata);
    snprintf(out, WORD_SIZE, "%.*f", score < 0.0995 ? 4 : 3, score);
    return without_zero(out);
}

char *words_burn(double burn, char out[WORD_SIZE])
{
    if (!isfinite(burn))
        return say(out, words_nodata);
    snprintf(out, WORD_SIZE, "%.*f×", burn >= 99.95 ? 0 : 1, burn);
    return out;
}

char *words_bytes(uint64_t bytes, char out[WORD_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(out, WORD_SIZE, "%.0f" THIN_SPACE "B", value);
    else
        snprintf(out, WORD_SIZE, "%.*f" THIN_SPACE "%s", value < 9.95 ? 1 : 0, value, units[unit]);
    return out;
}

char *words_duration(int64_t us, char out[WORD_SIZE])
{
    static const struct {
        int64_t unit, part;
        const char *name, *part_name;
    } steps[] = {
        {US_PER_DAY, US_PER_HOUR, "d", "h"},
        {US_PER_HOUR, US_PER_MIN, "h", "min"},
        {US_PER_MIN, 0, "min", NULL},
    };
    if (us < 0)
        us = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (us < steps[i].unit)
            continue;
        long long whole = us / steps[i].unit;
        long long parts = steps[i].part ? us % steps[i].unit / steps[i].part : 0;
        if (parts > 0)
            snprintf(out, WORD_SIZE, "%lld" THIN_SPACE "%s %lld" THIN_SPACE "%s", whole,
                     steps[i].name, parts, steps[i].part_name);
        else
            snprintf(out, WORD_SIZE, "%lld" THIN_SPACE "%s", whole, steps[i].name);
        return out;
    }
    snprintf(out, WORD_SIZE, "%lld" THIN_SPACE "s", (long long)(us / US_PER_S));
    return out;
}

static struct tm utc(int64_t time_us)
{
    int64_t second = time_us / US_PER_S - (time_us % US_PER_S < 0);
    time_t when = (time_t)second;
    struct tm parts;
    gmtime_r(&when, &parts);
    return parts;
}

char *words_time(int64_t time_us, int64_t now_us, bool seconds, char out[WORD_SIZE])
{
    if (time_us == 0)
        return say(out, "");
    struct tm then = utc(time_us), now = utc(now_us);
    bool same_year = then.tm_year == now.tm_year;
    const char *date = !same_year ? "%Y-%m-%d " : then.tm_yday != now.tm_yday ? "%m-%d " : "";
    char format[32];
    snprintf(format, sizeof format, "%s%sZ", date, seconds ? "%H:%M:%S" : "%H:%M");
    if (strftime(out, WORD_SIZE, format, &then) == 0)
        out[0] = '\0';
    return out;
}

/* How long the character that begins with this byte would be. */
static size_t wanted_size(unsigned char first)
{
    return first < 0xc2 || first > 0xf4 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

char *words_plain(char *text)
{
    size_t left = strlen(text);
    char *from = text, *to = text;
    while (left > 0) {
        size_t size = utf8_length(slice_make(from, left));
        if (size == 0 && wanted_size((unsigned char)*from) > left)
            break;
        if (size == 0 || utf8_unsafe(slice_make(from, left), NULL) > 0) {
            size = size ? size : 1;
            *to++ = '?';
        } else {
            memmove(to, from, size);
            to += size;
        }
        from += size;
        left -= size;
    }
    *to = '\0';
    return text;
}

const char *words_mark(enum health health)
{
    static const char *const marks[] = {
        [HEALTH_NODATA] = "○", [HEALTH_OK] = "●", [HEALTH_TICKET] = "◆", [HEALTH_PAGE] = "▲"};
    return marks[health];
}

const char *words_health(enum health health)
{
    static const char *const names[] = {[HEALTH_NODATA] = words_nodata,
                                        [HEALTH_OK] = "ok",
                                        [HEALTH_TICKET] = "ticket",
                                        [HEALTH_PAGE] = "page"};
    return names[health];
}
