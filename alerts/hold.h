/* What people have done about one alert: a silence until a moment, and who has it in hand. A pure
 * function of the time, the alert's life and what was asked for. */
#ifndef BINNACLE_ALERTS_HOLD_H
#define BINNACLE_ALERTS_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/machine.h"

#define HOLD_NAME_SIZE 64

struct hold {
    int64_t silent_until_us; /* 0: never silenced */
    int64_t fired_us;        /* names the incident that is in hand; 0: none */
    char by[HOLD_NAME_SIZE]; /* who has it in hand */
    bool untold;             /* it fired in a silence, and nobody was told */
};

/* What is told of a transition: nothing in a silence, the firing when the silence is over and it
 * still fires, and no end of what nobody heard of. */
enum transition hold_step(struct hold *hold, const struct machine *machine, int64_t now_us,
                          enum transition transition);
/* Whether somebody has the alert's present incident in hand. */
bool hold_is_taken(const struct hold *hold, const struct machine *machine);

#endif
