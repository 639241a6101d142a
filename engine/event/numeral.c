/* Reading: a decimal of up to 2^53 and a power of ten up to 10^22 are both exact doubles, so one
 * multiplication or division rounds correctly (W. D. Clinger, "How to read floating point numbers
 * accurately", PLDI 1990); everything else goes to the C library. Writing turns the same argument
 * round: if n / 10^k gives the value back, then the decimal n * 10^-k reads back to it. */
#include "engine/event/numeral.h"

#include <math.h>
#include <stdint.h>

#define MAX_EXACT_POWER     22
#define MAX_EXACT_MANTISSA  (UINT64_C(1) << 53)
#define MAX_MANTISSA_DIGITS 19 /* of any 64-bit number */
#define MAX_EXPONENT        100000

static const double powers_of_ten[MAX_EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A number's text as it is taken apart. */
struct decimal {
    const char *at, *end;
    uint64_t mantissa;
    int digits;   /* in the mantissa, leading zeros not counted */
    int exponent; /* of ten */
    bool whole;   /* neither point nor exponent */
};

static bool is_digit(const struct decimal *decimal)
{
    return decimal->at < decimal->end && (unsigned char)(*decimal->at - '0') <= 9;
}

static bool next_is(struct decimal *decimal, char character)
{
    if (decimal->at == decimal->end || *decimal->at != character)
        return false;
    decimal->at++;
    return true;
}

static void take_digit(struct decimal *decimal)
{
    unsigned digit = (unsigned)(*decimal->at++ - '0');
    if (decimal->digits == 0 && digit == 0)
        return;
    if (++decimal->digits <= MAX_MANTISSA_DIGITS)
        decimal->mantissa = 10 * decimal->mantissa + digit;
}

static bool scan_fraction(struct decimal *decimal)
{
    if (!is_digit(decimal))
        return false;
    decimal->whole = false;
    const char *first = decimal->at;
    while (is_digit(decimal))
        take_digit(decimal);
    decimal->exponent -= (int)(decimal->at - first);
    return true;
}

static bool scan_exponent(struct decimal *decimal)
{
    bool negative = next_is(decimal, '-');
    if (!negative)
        (void)next_is(decimal, '+');
    if (!is_digit(decimal))
        return false;
    decimal->whole = false;
    int exponent = 0;
    while (is_digit(decimal)) {
        if (exponent < MAX_EXPONENT)
            exponent = 10 * exponent + (*decimal->at - '0');
        decimal->at++;
    }
    decimal->exponent += negative ? -exponent : exponent;
    return true;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?, the sign already taken. */
static bool scan_decimal(struct decimal *decimal)
{
    if (!is_digit(decimal))
        return false;
    if (*decimal->at == '0')
        decimal->at++;
    else
        while (is_digit(decimal))
            take_digit(decimal);
    if (next_is(decimal, '.') && !scan_fraction(decimal))
        return false;
    if ((next_is(decimal, 'e') || next_is(decimal, 'E')) && !scan_exponent(decimal))
        return false;
    return true;
}

/* mantissa * 10^exponent where both are exact; false: not so. */
static bool scale_exactly(uint64_t mantissa, int exponent, bool negative, double *out)
{
    if (mantissa > MAX_EXACT_MANTISSA || exponent < -MAX_EXACT_POWER || exponent > MAX_EXACT_POWER)
        return false;
    double value = (double)mantissa;
    value = exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
    *out = negative ? -value : value;
    return true;
}

static const char *take_digits(const char *at, const char *end, uint64_t *mantissa)
{
    uint64_t number = *mantissa;
    for (unsigned digit; at < end && (digit = (unsigned char)(*at - '0')) <= 9; at++)
        number = 10 * number + digit;
    *mantissa = number;
    return at;
}

/* Numbers as transactions hold them: up to 19 digits, perhaps a point, no exponent. 0: not one of
 * these, or not exact: look carefully. */
static size_t scan_short(struct slice text, struct numeral *number)
{
    const char *at = text.data, *end = text.data + text.size;
    bool negative = at < end && *at == '-';
    const char *first = at + negative, *point;
    uint64_t mantissa = 0;
    at = point = take_digits(first, end, &mantissa);
    if (at == first || (*first == '0' && at - first > 1))
        return 0;
    if (at < end && *at == '.') {
        at = take_digits(at + 1, end, &mantissa);
        if (at == point + 1)
            return 0;
    }
    if (at - first > MAX_MANTISSA_DIGITS || (at < end && (*at == 'e' || *at == 'E')))
        return 0;
    int decimals = at == point ? 0 : (int)(at - point) - 1;
    if (!scale_exactly(mantissa, -decimals, negative, &number->value))
        return 0;
    number->exact = at == point;
    return (size_t)(at - text.data);
}

size_t numeral_scan(struct slice text, struct numeral *number)
{
    size_t size = scan_short(text, number);
    if (size > 0)
        return size;
    struct decimal decimal = {.at = text.data, .end = text.data + text.size, .whole = true};
    bool negative = next_is(&decimal, '-');
    if (!scan_decimal(&decimal))
        return 0;
    size = (size_t)(decimal.at - text.data);
    bool exact = decimal.digits <= MAX_MANTISSA_DIGITS && decimal.mantissa <= MAX_EXACT_MANTISSA;
    number->exact = exact && decimal.whole;
    if (exact && scale_exactly(decimal.mantissa, decimal.exponent, negative, &number->value))
        return size;
    return number_parse(slice_make(text.data, size), &number->value) ? size : 0;
}

bool numeral_is_integer(const struct numeral *number)
{
    if (number->exact)
        return true;
    /* Text with more digits may have been rounded to 2^53 itself, so that is taken only exact. */
    return fabs(number->value) < NUMERAL_EXACT_INTEGER && number->value == rint(number->value);
}

static char *write_digits(uint64_t number, char *out)
{
    char digits[20];
    int n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

/* number / 10^decimals without the zeros at its end. */
static char *write_decimal(uint64_t number, int decimals, char *out)
{
    while (decimals > 0 && number % 10 == 0) {
        number /= 10;
        decimals--;
    }
    uint64_t power = (uint64_t)powers_of_ten[decimals];
    out = write_digits(number / power, out);
    if (decimals == 0)
        return out;
    *out++ = '.';
    uint64_t fraction = number % power;
    for (int i = decimals - 1; i >= 0; i--) {
        out[i] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    return out + decimals;
}

char *numeral_write(double value, char out[NUMBER_TEXT_SIZE])
{
    /* Cents first, then the other lengths; up to 10^15 rounding the product finds the nearest. */
    static const int tries[] = {2, 6, 9, 15};
    double magnitude = fabs(value);
    char *at = out;
    if (signbit(value))
        *at++ = '-';
    if (magnitude < 1e15 && magnitude == rint(magnitude))
        return write_digits((uint64_t)magnitude, at);
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        double power = powers_of_ten[tries[i]];
        double scaled = rint(magnitude * power);
        if (scaled > 1e15)
            break;
        if (scaled / power == magnitude)
            return write_decimal((uint64_t)scaled, tries[i], at);
    }
    return out + number_format(value, out);
}
