/* Holds a replay back to a multiple of the events' own time. */
#include "app/pace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool pace_parse(const char *text, struct pace *pace)
{
    *pace = (struct pace){0};
    if (strcmp(text, "max") == 0)
        return true;
    char *end;
    pace->factor = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(pace->factor) && pace->factor > 0;
}

double pace_left_ms(struct pace *pace, const struct clock *clock)
{
    if (pace->factor == 0)
        return 0;
    int64_t now_us = clock_now_us(clock);
    if (pace->first_ns == 0) {
        pace->first_ns = monotonic_ns();
        pace->first_event_us = now_us;
    }
    double due_ms = (double)(now_us - pace->first_event_us) / 1e3 / pace->factor;
    return due_ms - (double)(monotonic_ns() - pace->first_ns) / 1e6;
}

void pace_keep(struct pace *pace, const struct clock *clock, struct interrupt *interrupt)
{
    double left_ms = pace_left_ms(pace, clock);
    while (left_ms > 0 && !interrupt_wait(interrupt, left_ms > 1000 ? 1000 : (int)left_ms + 1))
        left_ms = pace_left_ms(pace, clock);
}
