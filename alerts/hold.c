/* The rules of silences and of taking in hand. Pure. */
#include "alerts/hold.h"

static enum transition over(struct hold *hold)
{
    bool told = !hold->untold;
    hold->untold = false;
    hold->fired_us = 0;
    hold->by[0] = '\0';
    return told ? TRANSITION_RESOLVED : TRANSITION_NONE;
}

enum transition hold_step(struct hold *hold, const struct machine *machine, int64_t now_us,
                          enum transition transition)
{
    bool silent = now_us < hold->silent_until_us;
    if (transition == TRANSITION_RESOLVED)
        return over(hold);
    if (transition == TRANSITION_FIRING)
        hold->untold = silent;
    else if (!hold->untold || silent || machine->phase != PHASE_FIRING)
        return transition;
    if (silent)
        return TRANSITION_NONE;
    hold->untold = false;
    return TRANSITION_FIRING;
}

bool hold_is_taken(const struct hold *hold, const struct machine *machine)
{
    return hold->by[0] && machine->phase == PHASE_FIRING && hold->fired_us == machine->fired_us;
}
