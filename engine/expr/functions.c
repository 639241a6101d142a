/* The built-in functions: one table for the compiler, the documentation and completion. Pure; any
 * thread. A number that is not finite becomes null in the evaluator. */
#include <math.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/regex.h"
#include "engine/expr/expr_priv.h"

#define NUMBER_FUNCTION(name, formula)                                                             \
    static struct value name##_of(void *bound, void *run, const struct value *a, int n)            \
    {                                                                                              \
        (void)bound, (void)run, (void)n;                                                           \
        return value_number(formula);                                                              \
    }

NUMBER_FUNCTION(abs, fabs(a[0].number))
NUMBER_FUNCTION(log, log(a[0].number))
NUMBER_FUNCTION(log1p, log1p(a[0].number))
NUMBER_FUNCTION(exp, exp(a[0].number))
NUMBER_FUNCTION(sqrt, sqrt(a[0].number))
NUMBER_FUNCTION(pow, pow(a[0].number, a[1].number))
NUMBER_FUNCTION(floor, floor(a[0].number))
NUMBER_FUNCTION(ceil, ceil(a[0].number))
NUMBER_FUNCTION(round, round(a[0].number))
NUMBER_FUNCTION(clip,
                a[1].number > a[2].number ? NAN : fmin(fmax(a[0].number, a[1].number), a[2].number))

static struct value min_of(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run;
    double least = arguments[0].number;
    for (int i = 1; i < n; i++)
        least = fmin(least, arguments[i].number);
    return value_number(least);
}

static struct value max_of(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run;
    double most = arguments[0].number;
    for (int i = 1; i < n; i++)
        most = fmax(most, arguments[i].number);
    return value_number(most);
}

/* In characters: every byte that does not continue one. */
static struct value length_of(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    struct slice text = arguments[0].string;
    size_t length = 0;
    for (size_t i = 0; i < text.size; i++)
        length += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return value_number((double)length);
}

static struct value starts_with(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    struct slice text = arguments[0].string, start = arguments[1].string;
    if (text.size < start.size)
        return value_bool(false);
    text.size = start.size;
    return value_bool(slice_equal(text, start));
}

static struct value ends_with(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    struct slice text = arguments[0].string, end = arguments[1].string;
    if (text.size < end.size)
        return value_bool(false);
    if (end.size == 0)
        return value_bool(true);
    return value_bool(memcmp(text.data + text.size - end.size, end.data, end.size) == 0);
}

static struct value contains(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    struct slice text = arguments[0].string, part = arguments[1].string;
    if (part.size == 0)
        return value_bool(true);
    return value_bool(text.size >= part.size &&
                      memmem(text.data, text.size, part.data, part.size) != NULL);
}

static enum status bind_pattern(void *context, const struct value *arguments, int n, void **bound,
                                struct error *error)
{
    (void)context, (void)n;
    struct slice pattern = arguments[1].string; /* literals end in a zero */
    if (memchr(pattern.data, '\0', pattern.size))
        return error_set(error, STATUS_INVALID, "a zero byte in the pattern");
    struct regex *regex;
    enum status status = regex_compile(pattern.data, &regex, error);
    if (!status)
        *bound = regex;
    return status;
}

static void unbind_pattern(void *bound)
{
    regex_destroy(bound);
}

static struct value matches(void *bound, void *run, const struct value *arguments, int n)
{
    (void)run, (void)n;
    return value_bool(regex_match(bound, arguments[0].string));
}

static struct value hour_of(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    int64_t time_us = arguments[0].time_us;
    return value_number((double)((time_us - time_day(time_us) * US_PER_DAY) / US_PER_HOUR));
}

/* 1970-01-01 was a Thursday: 3 with Monday 0. */
static struct value weekday_of(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    return value_number((double)(((time_day(arguments[0].time_us) + 3) % 7 + 7) % 7));
}

static struct value day_of_month(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    char text[TIME_TEXT_SIZE];
    time_format(arguments[0].time_us, text);
    const char *day = strchr(text, 'T') - 2;
    return value_number((day[0] - '0') * 10 + (day[1] - '0'));
}

/* As doubles: the difference of two times need not fit into an integer of microseconds. */
static struct value seconds_between(void *bound, void *run, const struct value *arguments, int n)
{
    (void)bound, (void)run, (void)n;
    int64_t difference_us;
    if (__builtin_sub_overflow(arguments[1].time_us, arguments[0].time_us, &difference_us))
        return value_null();
    return value_number((double)difference_us / (double)US_PER_S);
}

#define N   VALUE_NUMBER
#define S   VALUE_STRING
#define T   VALUE_TIME
#define B   VALUE_BOOL
#define ANY VALUE_NULL

/* Those without a call are compiled to operations of their own. */
static const struct expr_function table[] = {
    {.name = "abs",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = abs_of,
     .help = "abs(x): the number without its sign"},
    {.name = "min",
     .result = N,
     .min_args = 1,
     .max_args = EXPR_MAX_ARGS,
     .args = {N, N, N, N, N, N, N, N},
     .call = min_of,
     .help = "min(a, b, ...): the least of up to 8 numbers"},
    {.name = "max",
     .result = N,
     .min_args = 1,
     .max_args = EXPR_MAX_ARGS,
     .args = {N, N, N, N, N, N, N, N},
     .call = max_of,
     .help = "max(a, b, ...): the greatest of up to 8 numbers"},
    {.name = "log",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = log_of,
     .help = "log(x): natural logarithm; null unless x > 0"},
    {.name = "log1p",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = log1p_of,
     .help = "log1p(x): log(1 + x), exact for small x; null unless x > -1"},
    {.name = "exp",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = exp_of,
     .help = "exp(x): e to the power of x; null when too large"},
    {.name = "sqrt",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = sqrt_of,
     .help = "sqrt(x): square root; null when x < 0"},
    {.name = "pow",
     .result = N,
     .min_args = 2,
     .max_args = 2,
     .args = {N, N},
     .call = pow_of,
     .help = "pow(x, y): x to the power of y; null when that is no finite number"},
    {.name = "floor",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = floor_of,
     .help = "floor(x): the next integer down"},
    {.name = "ceil",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = ceil_of,
     .help = "ceil(x): the next integer up"},
    {.name = "round",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {N},
     .call = round_of,
     .help = "round(x): the nearest integer, halves away from zero"},
    {.name = "clip",
     .result = N,
     .min_args = 3,
     .max_args = 3,
     .args = {N, N, N},
     .call = clip_of,
     .help = "clip(x, low, high): x moved into [low, high]; null when low > high"},
    {.name = "coalesce",
     .result = ANY,
     .min_args = 1,
     .max_args = EXPR_MAX_ARGS,
     .takes_nulls = true,
     .help = "coalesce(a, b, ...): the first that is not null"},
    {.name = "if",
     .result = ANY,
     .min_args = 3,
     .max_args = 3,
     .args = {B, ANY, ANY},
     .takes_nulls = true,
     .help = "if(condition, a, b): a when the condition is true, else b"},
    {.name = "length",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {S},
     .call = length_of,
     .help = "length(text): number of characters"},
    {.name = "lower",
     .result = S,
     .min_args = 1,
     .max_args = 1,
     .args = {S},
     .help = "lower(text): with A-Z as a-z"},
    {.name = "upper",
     .result = S,
     .min_args = 1,
     .max_args = 1,
     .args = {S},
     .help = "upper(text): with a-z as A-Z"},
    {.name = "starts_with",
     .result = B,
     .min_args = 2,
     .max_args = 2,
     .args = {S, S},
     .call = starts_with,
     .help = "starts_with(text, start)"},
    {.name = "ends_with",
     .result = B,
     .min_args = 2,
     .max_args = 2,
     .args = {S, S},
     .call = ends_with,
     .help = "ends_with(text, end)"},
    {.name = "contains",
     .result = B,
     .min_args = 2,
     .max_args = 2,
     .args = {S, S},
     .call = contains,
     .help = "contains(text, part)"},
    {.name = "matches",
     .result = B,
     .min_args = 2,
     .max_args = 2,
     .args = {S, S},
     .literal_args = 1u << 1,
     .bind = bind_pattern,
     .unbind = unbind_pattern,
     .call = matches,
     .help = "matches(text, 'pattern'): whether all of the text fits the regular expression"},
    {.name = "hour",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {T},
     .call = hour_of,
     .help = "hour(time): 0 to 23, UTC"},
    {.name = "weekday",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {T},
     .call = weekday_of,
     .help = "weekday(time): Monday 0 to Sunday 6, UTC"},
    {.name = "day",
     .result = N,
     .min_args = 1,
     .max_args = 1,
     .args = {T},
     .call = day_of_month,
     .help = "day(time): day of the month, 1 to 31, UTC"},
    {.name = "seconds_between",
     .result = N,
     .min_args = 2,
     .max_args = 2,
     .args = {T, T},
     .call = seconds_between,
     .help = "seconds_between(a, b): from time a to time b; negative when b is earlier"},
};

const struct expr_function *expr_builtins(size_t *n_functions)
{
    *n_functions = sizeof table / sizeof table[0];
    return table;
}
