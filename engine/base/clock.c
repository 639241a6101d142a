/* Clocks, and times and durations as text. Calendar arithmetic in the proleptic Gregorian
 * calendar by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil,
 * civil_from_days). Any thread. */
#include "engine/base/clock.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define STEP_US US_PER_S /* less is drift */
#define SLEW_US 500      /* back by so little a second that the clock goes on all the same */

struct clock {
    bool event, steady;
    _Atomic int64_t time_us; /* event: now; steady: what the monotonic clock lacks to now */
    int64_t ahead_us;        /* steady: of the machine's clock when it was looked at last */
};

struct clock *clock_create_wall(void)
{
    return calloc(1, sizeof(struct clock));
}

int64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

struct clock *clock_create_steady(void)
{
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock) {
        clock->steady = true;
        atomic_init(&clock->time_us, wall_us() - monotonic_ns() / 1000);
    }
    return clock;
}

struct clock *clock_create_event(int64_t start_us)
{
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock) {
        clock->event = true;
        atomic_init(&clock->time_us, start_us);
    }
    return clock;
}

void clock_destroy(struct clock *clock)
{
    free(clock);
}

int64_t clock_now_us(const struct clock *clock)
{
    if (clock->event)
        return atomic_load_explicit(&clock->time_us, memory_order_acquire);
    if (clock->steady)
        return atomic_load_explicit(&clock->time_us, memory_order_relaxed) + monotonic_ns() / 1000;
    return wall_us();
}

int64_t clock_follow(struct clock *clock, int64_t *ahead_us)
{
    *ahead_us = 0;
    if (!clock->steady)
        return 0;
    int64_t ahead = clock_now_us(clock) - wall_us();
    int64_t step = clock->ahead_us - ahead;
    int64_t back = ahead < 0 ? ahead : ahead >= STEP_US ? 0 : ahead < SLEW_US ? ahead : SLEW_US;
    atomic_fetch_sub_explicit(&clock->time_us, back, memory_order_relaxed);
    clock->ahead_us = ahead - back;
    *ahead_us = clock->ahead_us;
    return step >= STEP_US || step <= -STEP_US ? step : 0;
}

void clock_advance(struct clock *clock, int64_t time_us)
{
    if (!clock->event)
        return;
    int64_t seen = atomic_load_explicit(&clock->time_us, memory_order_relaxed);
    while (seen < time_us &&
           !atomic_compare_exchange_weak_explicit(&clock->time_us, &seen, time_us,
                                                  memory_order_acq_rel, memory_order_relaxed))
        ; /* `seen` is fresh after each failure */
}

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void pause_us(int64_t us)
{
    const struct timespec time = {.tv_sec = us / US_PER_S, .tv_nsec = us % US_PER_S * 1000};
    nanosleep(&time, NULL);
}

int64_t monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

int64_t process_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t time_day(int64_t time_us)
{
    return time_us / US_PER_DAY - (time_us % US_PER_DAY < 0);
}

struct civil {
    int64_t year;
    int month, day;
};

static int64_t days_from_civil(struct civil date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153; /* from March */
    struct civil date;
    date.day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    date.month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly `count` digits from the front of *text. */
static bool take_digits(struct slice *text, int count, int *out)
{
    if (text->size < (size_t)count)
        return false;
    int number = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned char)text->data[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        number = number * 10 + (int)digit;
    }
    text->data += count;
    text->size -= (size_t)count;
    *out = number;
    return true;
}

static bool take_char(struct slice *text, char character)
{
    if (text->size == 0 || text->data[0] != character)
        return false;
    text->data++;
    text->size--;
    return true;
}

static bool take_date(struct slice *text, int64_t *days)
{
    int year, month, day;
    if (!take_digits(text, 4, &year) || !take_char(text, '-') || !take_digits(text, 2, &month) ||
        !take_char(text, '-') || !take_digits(text, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_civil((struct civil){year, month, day});
    return true;
}

static bool take_time_of_day(struct slice *text, int64_t *time_us)
{
    int hour, minute, second;
    if (!take_digits(text, 2, &hour) || !take_char(text, ':') || !take_digits(text, 2, &minute) ||
        !take_char(text, ':') || !take_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t fraction_us = 0;
    if (take_char(text, '.')) {
        int64_t weight = US_PER_S / 10;
        int n_digits = 0;
        int digit;
        for (; take_digits(text, 1, &digit); weight /= 10, n_digits++)
            fraction_us += digit * weight;
        if (n_digits < 1 || n_digits > 9)
            return false;
    }
    *time_us = (hour * 3600 + minute * 60 + second) * US_PER_S + fraction_us;
    return true;
}

/* "Z", "+02:00" or nothing, which is UTC. */
static bool take_offset(struct slice *text, int64_t *offset_us)
{
    *offset_us = 0;
    if (text->size == 0 || take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    bool west = text->data[0] == '-';
    int hours, minutes;
    if (!(take_char(text, '-') || take_char(text, '+')) || !take_digits(text, 2, &hours) ||
        !take_char(text, ':') || !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_us = (hours * 60 + minutes) * US_PER_MIN;
    if (west)
        *offset_us = -*offset_us;
    return true;
}

#define FIRST_TIME_US (INT64_C(-719162) * US_PER_DAY)     /* 0001-01-01T00:00:00Z */
#define LAST_TIME_US  (INT64_C(2932897) * US_PER_DAY - 1) /* end of 9999-12-31 */

static bool in_calendar(int64_t time_us)
{
    return time_us >= FIRST_TIME_US && time_us <= LAST_TIME_US;
}

/* The number of two digits; others than digits are noted in *bad. */
static unsigned two_digits(const char *text, unsigned *bad)
{
    unsigned tens = (unsigned char)(text[0] - '0'), ones = (unsigned char)(text[1] - '0');
    *bad |= (tens > 9) | (ones > 9);
    return 10 * tens + ones;
}

#define SECONDS_SIZE      19 /* 2018-08-08T10:00:00 */
#define MICROSECONDS_SIZE 26 /* 2018-08-08T10:00:00.000000 */

/* Marks of characters in a word, the first one lowest. */
#define MARK(place)                 (UINT64_C(0xFF) << 8 * (place))
#define CHARACTER(place, character) ((uint64_t)(character) << 8 * (place))

/* Eight characters at once: what stands at the marks `between` has to be as in `fixed`, and digits
 * at the marks `digits`. Then byte i of *pairs is the number that digits i and i + 1 are. */
static bool take_pairs(const char *text, uint64_t between, uint64_t fixed, uint64_t digits,
                       uint64_t *pairs)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, text, sizeof word);
    uint64_t numbers = (word ^ ones * '0') & digits;
    uint64_t above = (numbers + ones * (0x80 - 10)) | numbers; /* bit 7: more than nine */
    *pairs = 10 * numbers + (numbers >> 8);
    return (word & between) == fixed && (above & ones * 0x80) == 0;
}

static unsigned pair_at(uint64_t pairs, int place)
{
    return (unsigned)(pairs >> 8 * place & 0xFF);
}

/* 2018-08-08T10:00: from the text's beginning, with a space for the T too. */
static bool take_minute(const char *at, struct civil *date, unsigned *minutes)
{
    uint64_t first, second;
    bool good = take_pairs(at, MARK(4) | MARK(7), CHARACTER(4, '-') | CHARACTER(7, '-'),
                           MARK(0) | MARK(1) | MARK(2) | MARK(3) | MARK(5) | MARK(6), &first) &&
                take_pairs(at + 8, MARK(5), CHARACTER(5, ':'),
                           MARK(0) | MARK(1) | MARK(3) | MARK(4) | MARK(6) | MARK(7), &second) &&
                (at[10] == 'T' || at[10] == ' ') && at[16] == ':';
    if (!good)
        return false;
    unsigned year = 100 * pair_at(first, 0) + pair_at(first, 2), month = pair_at(first, 5);
    unsigned day = pair_at(second, 0), hour = pair_at(second, 3), minute = pair_at(second, 6);
    if (year < 1 || month - 1 > 11 || hour > 23 || minute > 59 || day < 1 ||
        day > (unsigned)days_in_month(year, (int)month))
        return false;
    *date = (struct civil){year, (int)month, (int)day};
    *minutes = hour * 60 + minute;
    return true;
}

/* Times as time_format() writes them, also without the Z, at fixed places. False: not one of these,
 * which time_parse() looks at with care. */
static bool parse_fixed(struct slice text, int64_t *time_us)
{
    const char *at = text.data;
    size_t size = text.size - (text.size > 0 && at[text.size - 1] == 'Z');
    unsigned bad = 0, minutes, fraction_us = 0;
    struct civil date;
    if ((size != SECONDS_SIZE && size != MICROSECONDS_SIZE) || !take_minute(at, &date, &minutes))
        return false;
    unsigned second = two_digits(at + 17, &bad);
    if (size == MICROSECONDS_SIZE) {
        bad |= at[19] != '.';
        fraction_us = 10000 * two_digits(at + 20, &bad) + 100 * two_digits(at + 22, &bad) +
                      two_digits(at + 24, &bad);
    }
    if (bad || second > 59)
        return false;
    *time_us =
        days_from_civil(date) * US_PER_DAY + (minutes * 60 + second) * US_PER_S + fraction_us;
    return true;
}

bool time_parse(struct slice text, int64_t *time_us)
{
    if (parse_fixed(text, time_us))
        return true;
    int64_t days, of_day_us = 0, offset_us = 0;
    if (!take_date(&text, &days))
        return false;
    if (text.size > 0) {
        if (!take_char(&text, 'T') && !take_char(&text, ' ') && !take_char(&text, 't'))
            return false;
        if (!take_time_of_day(&text, &of_day_us) || !take_offset(&text, &offset_us) ||
            text.size > 0)
            return false;
    }
    int64_t result = days * US_PER_DAY + of_day_us - offset_us;
    if (!in_calendar(result))
        return false;
    *time_us = result;
    return true;
}

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    {"ms", 1000},       {"s", US_PER_S},   {"m", US_PER_MIN},
    {"h", US_PER_HOUR}, {"d", US_PER_DAY}, {"w", 7 * US_PER_DAY},
};

/* At most 15 digits of the fraction: more would not be exact in what follows. */
static bool take_fraction(struct slice *text, double *fraction)
{
    double numerator = 0, denominator = 1;
    int digit, n_digits = 0;
    while (take_digits(text, 1, &digit)) {
        numerator = numerator * 10 + digit;
        denominator *= 10;
        n_digits++;
    }
    *fraction = numerator / denominator;
    return n_digits >= 1 && n_digits <= 15;
}

bool duration_parse(struct slice text, int64_t *duration_us)
{
    int64_t whole = 0;
    double fraction = 0;
    int digit;
    bool any = false;
    while (take_digits(&text, 1, &digit)) {
        any = true;
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, digit, &whole))
            return false;
    }
    if (!any || (take_char(&text, '.') && !take_fraction(&text, &fraction)))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!slice_is(text, units[i].name))
            continue;
        int64_t result;
        if (__builtin_mul_overflow(whole, units[i].us, &result) ||
            __builtin_add_overflow(result, llround(fraction * (double)units[i].us), &result))
            return false;
        *duration_us = result;
        return true;
    }
    return false;
}

bool time_from_epoch(double number, int64_t *time_us)
{
    double magnitude = fabs(number);
    double us;
    if (!(magnitude < 1e21)) /* NaN and infinity too */
        return false;
    if (magnitude < 1e11)
        us = number * 1e6;
    else if (magnitude < 1e14)
        us = number * 1e3;
    else if (magnitude < 1e17)
        us = number;
    else
        us = number / 1e3;
    us = rint(us);
    if (us < (double)FIRST_TIME_US || us > (double)LAST_TIME_US)
        return false;
    *time_us = (int64_t)us;
    return in_calendar(*time_us);
}

static char *put_two(char *out, unsigned number)
{
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
    return out + 2;
}

static char *put_year(char *out, int64_t year)
{
    if (year < 0) {
        *out++ = '-';
        year = -year;
    }
    if (year > 9999)
        out = put_two(out, (unsigned)(year / 10000) % 100);
    return put_two(put_two(out, (unsigned)(year / 100 % 100)), (unsigned)(year % 100));
}

char *time_write(int64_t time_us, char *out)
{
    int64_t days = time_day(time_us);
    int64_t of_day_us = (time_us % US_PER_DAY + US_PER_DAY) % US_PER_DAY;
    struct civil date = civil_from_days(days);
    unsigned second = (unsigned)(of_day_us / US_PER_S),
             of_second = (unsigned)(of_day_us % US_PER_S);
    char *at = put_year(out, date.year);
    *at++ = '-';
    at = put_two(at, (unsigned)date.month);
    *at++ = '-';
    at = put_two(at, (unsigned)date.day);
    *at++ = 'T';
    at = put_two(at, second / 3600);
    *at++ = ':';
    at = put_two(at, second / 60 % 60);
    *at++ = ':';
    at = put_two(at, second % 60);
    if (of_second != 0) {
        *at++ = '.';
        at = put_two(at, of_second / 10000);
        at = put_two(at, of_second / 100 % 100);
        at = put_two(at, of_second % 100);
    }
    *at++ = 'Z';
    return at;
}

char *time_format(int64_t time_us, char out[TIME_TEXT_SIZE])
{
    *time_write(time_us, out) = '\0';
    return out;
}
