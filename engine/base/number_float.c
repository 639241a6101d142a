/* Floats as "%.9g" writes them, without the C library: every score, margin, feature and
 * contribution of an answer is one. A float is a whole number of at most 24 bits times a power of
 * two, so with a power of ten it is exact in 128 bits, and rounding it to nine digits, ties to
 * even, is one shift. Any thread. */
#include "engine/base/number_float.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

#define DIGITS       9
#define LEAST_POWER  (-12) /* of ten, of the first digit: others are left to the C library */
#define MOST_POWER   8
#define FIXED_POWERS (-4) /* below, "%g" writes an exponent */

/* 10^-12 to 10^9. No float lies between a power of ten and the double nearest to it. */
static const double powers_of_ten[] = {1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5,
                                       1e-4,  1e-3,  1e-2,  1e-1, 1e0,  1e1,  1e2,  1e3,
                                       1e4,   1e5,   1e6,   1e7,  1e8,  1e9};

/* The power of ten of the first digit of a number from 10^LEAST_POWER to below 10^9. */
static int first_power(double magnitude)
{
    int exponent;
    (void)frexp(magnitude, &exponent);
    /* log10(2) is 1233/4096 closely enough to be wrong by one at most. */
    int power = ((exponent - 1) * 1233 + 4096 * 64) / 4096 - 64;
    return power + (magnitude >= powers_of_ten[power + 1 - LEAST_POWER]);
}

/* magnitude * 10^(8 - power), to the nearest whole number. */
static uint32_t nine_digits(float magnitude, int power)
{
    uint32_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    uint128 product = (bits & 0x7fffff) | 0x800000;
    int shift = 150 - (int)(bits >> 23);
    for (int i = power; i < MOST_POWER; i++)
        product *= 10;
    if (shift <= 0)
        return (uint32_t)(product << -shift);
    uint128 half = (uint128)1 << (shift - 1);
    uint128 rest = product & (2 * half - 1);
    uint32_t whole = (uint32_t)(product >> shift);
    return whole + (rest > half || (rest == half && (whole & 1)));
}

static char *put_exponent(int power, char *out)
{
    *out++ = 'e';
    *out++ = '-';
    *out++ = (char)('0' - power / 10);
    *out++ = (char)('0' - power % 10);
    return out;
}

/* The digits with the point behind the one of 10^power, which may lie before them. */
static char *put_fixed(const char *digits, int n, int power, char *out)
{
    if (power < 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = power + 1; i < 0; i++)
            *out++ = '0';
    }
    for (int i = 0; i < n || i <= power; i++) {
        *out++ = i < n ? digits[i] : '0';
        if (i == power && n > i + 1)
            *out++ = '.';
    }
    return out;
}

static size_t format_digits(uint32_t number, int power, bool negative, char *out)
{
    char digits[DIGITS], *at = out;
    for (int i = DIGITS; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
    int n = DIGITS;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (negative)
        *at++ = '-';
    if (power < FIXED_POWERS)
        at = put_exponent(power, put_fixed(digits, n, 0, at));
    else
        at = put_fixed(digits, n, power, at);
    *at = '\0';
    return (size_t)(at - out);
}

size_t number_float(float number, char out[NUMBER_TEXT_SIZE])
{
    float magnitude = fabsf(number);
    if (magnitude == 0)
        return format_digits(0, 0, signbit(number), out);
    if (!((double)magnitude >= powers_of_ten[0] && magnitude < 1e9f))
        return 0;
    int power = first_power((double)magnitude);
    uint32_t digits = nine_digits(magnitude, power);
    if (digits == 1000000000) { /* rounded up to one more digit */
        digits /= 10;
        power++;
    }
    return format_digits(digits, power, signbit(number), out);
}
