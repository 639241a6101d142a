/* Time is given, never taken: the wall when live, the events' own time in a replay. */
#ifndef BINNACLE_BASE_CLOCK_H
#define BINNACLE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"

#define US_PER_S    INT64_C(1000000)
#define US_PER_MIN  (60 * US_PER_S)
#define US_PER_HOUR (3600 * US_PER_S)
#define US_PER_DAY  (86400 * US_PER_S)

struct clock;

/* The machine's wall clock. NULL when out of memory. */
struct clock *clock_create_wall(void);
/* The machine's clock as a service follows it that must not be thrown by it: it never goes back. It
 * counts on by itself, and clock_follow() brings it to the machine's time. NULL when out of
 * memory. */
struct clock *clock_create_steady(void);
/* To be called about once a second by one thread. A machine's clock that was set forward is
 * followed, a drifting one as well; one that was set back is not, until it has caught up. Returns
 * by how much the machine's clock was set since the last call: 0 for less than a second, negative
 * for back. *ahead_us: how far the steady clock is ahead of it. Nothing happens to other clocks. */
int64_t clock_follow(struct clock *clock, int64_t *ahead_us);
/* A clock that stands still until it is advanced; starts at `start_us`. */
struct clock *clock_create_event(int64_t start_us);
void clock_destroy(struct clock *clock);

/* Microseconds since 1970-01-01T00:00:00Z. Any thread. */
int64_t clock_now_us(const struct clock *clock);
/* Moves an event clock forward to `time_us`; earlier times and wall clocks are left as they
 * are. Any thread. */
void clock_advance(struct clock *clock, int64_t time_us);

/* The machine's clock as it stands, for what belongs to no engine: a screen, a log. */
int64_t wall_us(void);
/* For durations on this machine, whatever the clock above says. */
int64_t monotonic_ns(void);
/* What the calling thread, or the whole process, has used of processors so far. */
int64_t thread_cpu_ns(void);
int64_t process_cpu_ns(void);

/* Lets the calling thread wait; a signal may cut it short. */
void pause_us(int64_t us);

/* Days since 1970-01-01 that were over at that time, in UTC; negative before. */
int64_t time_day(int64_t time_us);
/* ISO-8601: "2018-08-08T10:00:00Z", "2018-08-08 10:00:00" (taken as UTC), fractions of up to
 * nine digits (cut to microseconds), offsets "+02:00"; a date alone is its midnight. Year 0001
 * to 9999, leap second 60 is refused. False when it is none of these. Allocates nothing. */
bool time_parse(struct slice text, int64_t *time_us);
/* A duration in configuration and expressions: "90s", "5m", "12h", "7d", "2w", "250ms".
 * Digits with an optional fraction and one unit. False when it is not one or overflows. */
bool duration_parse(struct slice text, int64_t *duration_us);
/* An epoch number in s, ms, us or ns (told apart by magnitude: below 1e11 s, 1e14 ms, 1e17 us). */
bool time_from_epoch(double number, int64_t *time_us);

#define TIME_TEXT_SIZE 32
/* "2018-08-08T10:00:00Z", with ".123456" only where the microseconds are not zero. Returns out. */
char *time_format(int64_t time_us, char out[TIME_TEXT_SIZE]);
/* The same without a zero at its end, which is what is returned. */
char *time_write(int64_t time_us, char *out);

#endif
