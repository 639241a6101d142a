/* How fast the past goes by: as fast as possible, or N times as fast as it happened. */
#ifndef BINNACLE_APP_PACE_H
#define BINNACLE_APP_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/interrupt.h"
#include "engine/base/clock.h"

struct pace {
    double factor; /* 0: as fast as possible */
    int64_t first_event_us;
    int64_t first_ns; /* 0: not started */
};

/* "max" or a factor above 0. False when it is neither. */
bool pace_parse(const char *text, struct pace *pace);
/* How long until the event clock's time is due; 0 or less: now. The first call starts the count. */
double pace_left_ms(struct pace *pace, const struct clock *clock);
/* Sleeps until the event clock's time is due; returns early when interrupted. */
void pace_keep(struct pace *pace, const struct clock *clock, struct interrupt *interrupt);

#endif
