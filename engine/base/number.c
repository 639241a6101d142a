/* Numbers from and to text. The fast path is W. D. Clinger's, "How to Read Floating Point Numbers
 * Accurately" (PLDI 1990): a significand of at most 2^53 times or over a power of ten of at most
 * 10^22 is one correctly rounded operation on exact operands. Longer ones, of up to eighteen
 * digits, go by D. Lemire, "Number Parsing at a Gigabyte per Second" (Software: Practice and
 * Experience 51, 2021): the significand times 128 bits of the power of five, which nearly always
 * says how to round. Everything else goes to the C library's strtod, which rounds correctly, under
 * the C locale. Any thread. */
#include "engine/base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/number_float.h"
#include "engine/base/number_powers.h"
#include "engine/base/number_short.h"

_Static_assert(FLT_EVAL_METHOD == 0, "the fast path needs operations that round to double at once");

static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define MAX_EXACT_POWER       22
#define MAX_EXACT_SIGNIFICAND (UINT64_C(1) << 53)
#define MAX_DIGITS            18 /* that always fit into 64 bits */
#define MAX_EXPONENT          100000

struct decimal {
    uint64_t significand;
    int exponent; /* of ten */
    bool negative;
    bool exact; /* every digit went into the significand */
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static void add_digit(struct decimal *decimal, int *n_digits, char digit, bool in_fraction)
{
    if (*n_digits < MAX_DIGITS) {
        decimal->significand = decimal->significand * 10 + (uint64_t)(digit - '0');
        *n_digits += decimal->significand != 0;
        decimal->exponent -= in_fraction;
    } else {
        decimal->exact = false;
    }
}

/* "e-12" and the like at `at`. */
static bool scan_exponent(const char *at, const char *end, struct decimal *decimal)
{
    if (*at != 'e' && *at != 'E')
        return false;
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end)
        return false;
    int exponent = 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        if (exponent < MAX_EXPONENT)
            exponent = exponent * 10 + (*at - '0');
    }
    decimal->exponent += negative ? -exponent : exponent;
    return true;
}

static const char *take_digits(const char *at, const char *end, uint64_t *number)
{
    uint64_t sum = *number;
    while (end - at >= 8 && number_are_digits(number_load_digits(at))) {
        sum = sum * 100000000 + number_of_digits(number_load_digits(at));
        at += 8;
    }
    for (; at < end && is_digit(*at); at++)
        sum = sum * 10 + (uint64_t)(*at - '0');
    *number = sum;
    return at;
}

/* The digits again, one by one, when there are more than a significand holds. */
static void scan_many_digits(const char *at, const char *end, struct decimal *decimal)
{
    int n_digits = 0;
    decimal->significand = 0;
    decimal->exponent = 0;
    while (at < end && is_digit(*at))
        add_digit(decimal, &n_digits, *at++, false);
    if (at == end || *at != '.')
        return;
    at++;
    while (at < end && is_digit(*at))
        add_digit(decimal, &n_digits, *at++, true);
}

/* The grammar of a decimal floating literal; false when the text is not one. */
static bool scan(struct slice text, struct decimal *decimal)
{
    *decimal = (struct decimal){.exact = true};
    const char *at = text.data;
    const char *end = at + text.size;
    if (at < end && (*at == '-' || *at == '+'))
        decimal->negative = *at++ == '-';
    const char *begin = at;
    at = take_digits(at, end, &decimal->significand);
    ptrdiff_t n_digits = at - begin;
    if (at < end && *at == '.') {
        const char *point = at++;
        at = take_digits(at, end, &decimal->significand);
        decimal->exponent = (int)(point + 1 - at);
        n_digits = at - begin - 1;
    }
    if (n_digits > MAX_DIGITS)
        scan_many_digits(begin, end, decimal);
    return n_digits > 0 && (at == end || scan_exponent(at, end, decimal));
}

static bool fast_double(const struct decimal *decimal, double *out)
{
    if (!decimal->exact || decimal->significand > MAX_EXACT_SIGNIFICAND)
        return false;
    double number = (double)decimal->significand;
    if (decimal->significand == 0 || decimal->exponent == 0)
        ;
    else if (decimal->exponent > 0 && decimal->exponent <= MAX_EXACT_POWER)
        number *= powers_of_ten[decimal->exponent];
    else if (decimal->exponent < 0 && decimal->exponent >= -MAX_EXACT_POWER)
        number /= powers_of_ten[-decimal->exponent];
    else
        return false;
    *out = decimal->negative ? -number : number;
    return true;
}

__extension__ typedef unsigned __int128 uint128;

/* significand * 5^power to 128 bits, the significand's highest bit being set. */
static uint128 times_power(uint64_t significand, int power)
{
    const uint64_t *five = powers_of_five[power - POWER_LEAST];
    uint128 product = (uint128)significand * five[0];
    const uint64_t undecided =
        UINT64_MAX >> 55; /* 52 bits, one to round by, two for what may come */
    if (((uint64_t)(product >> 64) & undecided) == undecided)
        product += ((uint128)significand * five[1]) >> 64;
    return product;
}

/* False for what it cannot say: beyond the table, not a normal number, or too close to a tie. */
static bool lemire_double(const struct decimal *decimal, double *out)
{
    int power = decimal->exponent;
    if (!decimal->exact || decimal->significand == 0 || power < POWER_LEAST || power > POWER_MOST)
        return false;
    int zeros = __builtin_clzll(decimal->significand);
    uint128 product = times_power(decimal->significand << zeros, power);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if (low == UINT64_MAX && (power < -27 || power > 55))
        return false;
    int upper = (int)(high >> 63), shift = upper + 9;
    uint64_t mantissa = high >> shift;
    /* The power of two: floor(power * log2(10)), by 217706 / 2^16. */
    int64_t exponent = ((217706 * (int64_t)power) >> 16) + 63 + upper - zeros + 1023;
    if (exponent <= 0 || exponent >= 2046)
        return false;
    bool tie =
        low <= 1 && power >= -4 && power <= 23 && (mantissa & 3) == 1 && mantissa << shift == high;
    mantissa = tie ? mantissa & ~UINT64_C(1) : mantissa;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> 53) { /* rounded up to one more bit */
        mantissa >>= 1;
        exponent++;
    }
    uint64_t bits = (mantissa & ~(UINT64_C(1) << 52)) | (uint64_t)exponent << 52 |
                    (uint64_t)decimal->negative << 63;
    memcpy(out, &bits, sizeof bits);
    return true;
}

static bool quick_double(const struct decimal *decimal, double *out)
{
    /* A division takes longer than both multiplications. */
    if (decimal->exponent < 0)
        return lemire_double(decimal, out) || fast_double(decimal, out);
    return fast_double(decimal, out) || lemire_double(decimal, out);
}

/* Runs strtod or strtof over a zero-terminated copy of a text whose grammar was checked. */
static bool slow_parse(struct slice text, double *as_double, float *as_float)
{
    char small[256];
    char *copy = text.size < sizeof small ? small : malloc(text.size + 1);
    if (!copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* a constant in glibc */
    bool ok = c_locale != (locale_t)0;
    if (ok) {
        if (as_double)
            *as_double = strtod_l(copy, NULL, c_locale);
        if (as_float)
            *as_float = strtof_l(copy, NULL, c_locale);
        freelocale(c_locale);
    }
    if (copy != small)
        free(copy);
    return ok;
}

/* "nan", "inf", "infinity" with an optional sign. */
static bool parse_word(struct slice text, double *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        text.data++;
        text.size--;
    }
    double number;
    if (text.size == 3 && strncasecmp(text.data, "nan", 3) == 0)
        number = NAN;
    else if ((text.size == 3 && strncasecmp(text.data, "inf", 3) == 0) ||
             (text.size == 8 && strncasecmp(text.data, "infinity", 8) == 0))
        number = INFINITY;
    else
        return false;
    *out = negative ? -number : number;
    return true;
}

bool number_parse(struct slice text, double *out)
{
    struct decimal decimal;
    if (!scan(text, &decimal))
        return parse_word(text, out);
    return quick_double(&decimal, out) || slow_parse(text, out, NULL);
}

/* Rounding a correctly rounded double again is right unless it stands exactly between two floats:
 * only then may the digits that were lost have decided the direction. */
static bool rounds_once(double number)
{
    double magnitude = fabs(number);
    if (magnitude != 0 && (magnitude < (double)FLT_MIN || magnitude > (double)FLT_MAX))
        return false;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (bits & UINT64_C(0x1fffffff)) != UINT64_C(0x10000000);
}

bool float_parse(struct slice text, float *out)
{
    struct decimal decimal;
    double number;
    if (!scan(text, &decimal)) {
        if (!parse_word(text, &number))
            return false;
        *out = (float)number;
        return true;
    }
    if (quick_double(&decimal, &number) && rounds_once(number)) {
        *out = (float)number;
        return true;
    }
    return slow_parse(text, NULL, out);
}

bool integer_parse(struct slice text, int64_t *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        text.data++;
        text.size--;
    }
    int64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]))
            return false;
        int digit = text.data[i] - '0';
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit, &number)) /* below zero: INT64_MIN fits */
            return false;
    }
    if (text.size == 0 || (!negative && number == INT64_MIN))
        return false;
    *out = negative ? number : -number;
    return true;
}

/* snprintf follows the locale's decimal point, which need not be one byte. */
static size_t use_point(char *text, int length)
{
    if (length < 0)
        return 0;
    for (char *at = text; *at; at++) {
        if (is_digit(*at) || *at == '-' || *at == '+' || *at == 'e')
            continue;
        size_t n = 1;
        while (at[n] && !is_digit(at[n]))
            n++;
        *at = '.';
        memmove(at + 1, at + n, strlen(at + n) + 1);
        break;
    }
    return strlen(text);
}

/* `significand` with the last n_decimals digits behind the point. */
static size_t put_decimal(uint64_t significand, int n_decimals, bool negative, char *out)
{
    char digits[24];
    int n = 0;
    size_t size = 0;
    for (; significand > 0 || n <= n_decimals; significand /= 10)
        digits[n++] = (char)('0' + significand % 10);
    if (negative)
        out[size++] = '-';
    while (n > 0) {
        if (n == n_decimals)
            out[size++] = '.';
        out[size++] = digits[--n];
    }
    out[size] = '\0';
    return size;
}

#define MAX_SHORT_DECIMALS 6

/* What "%.15g" gives, but fast, for numbers of at most 15 digits of which few are decimals: money,
 * counts, rounded ratios. A decimal of at most 15 digits that reads as the number is the only one
 * of that length, so it is the one that "%.15g" prints; fewer decimals are tried first, which is
 * how it comes without trailing zeros. 0 when the number is not of this kind. */
static size_t format_short(double number, char *out)
{
    double magnitude = fabs(number);
    if (!(magnitude < 1e15) || (magnitude < 1e-4 && magnitude != 0))
        return 0;
    for (int n_decimals = 0; n_decimals <= MAX_SHORT_DECIMALS; n_decimals++) {
        double scaled = nearbyint(magnitude * powers_of_ten[n_decimals]);
        if (scaled >= 1e15)
            return 0;
        if (scaled / powers_of_ten[n_decimals] == magnitude)
            return put_decimal((uint64_t)scaled, n_decimals, signbit(number), out);
    }
    return 0;
}

size_t number_format(double number, char out[NUMBER_TEXT_SIZE])
{
    size_t size = format_short(number, out);
    if (size > 0)
        return size;
    for (int precision = 15; precision <= 17; precision++) {
        size = use_point(out, snprintf(out, NUMBER_TEXT_SIZE, "%.*g", precision, number));
        double back;
        if (number_parse((struct slice){out, size}, &back) && back == number)
            break;
    }
    return size;
}

size_t float_format(float number, char out[NUMBER_TEXT_SIZE])
{
    size_t size = number_float(number, out);
    return size > 0 ? size
                    : use_point(out, snprintf(out, NUMBER_TEXT_SIZE, "%.9g", (double)number));
}

const char *number_noun(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}
