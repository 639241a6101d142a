/* One step of an alert's life. Called for every rule with every snapshot, on the judge's
 * thread. */
#include "alerts/machine.h"

static const char *const phase_names[PHASES] = {"inactive", "pending", "firing", "resolved"};

const char *machine_phase_name(enum machine_phase phase)
{
    return phase_names[phase];
}

static void enter(struct machine *machine, enum machine_phase phase, int64_t now_us)
{
    machine->phase = phase;
    machine->since_us = now_us;
    machine->clear_us = 0;
}

static enum transition fire(struct machine *machine, int64_t now_us)
{
    enter(machine, PHASE_FIRING, now_us);
    machine->fired_us = now_us;
    return TRANSITION_FIRING;
}

static enum transition step_quiet(const struct machine_times *times, struct machine *machine,
                                  int64_t now_us, enum condition condition)
{
    if (condition == CONDITION_TRUE) {
        if (times->for_us <= 0)
            return fire(machine, now_us);
        enter(machine, PHASE_PENDING, now_us);
    } else if (machine->phase == PHASE_RESOLVED && now_us - machine->since_us >= times->shown_us) {
        enter(machine, PHASE_INACTIVE, now_us);
    }
    return TRANSITION_NONE;
}

static enum transition step_pending(const struct machine_times *times, struct machine *machine,
                                    int64_t now_us, enum condition condition)
{
    if (condition != CONDITION_TRUE)
        enter(machine, PHASE_INACTIVE, now_us);
    else if (now_us - machine->since_us >= times->for_us)
        return fire(machine, now_us);
    return TRANSITION_NONE;
}

static enum transition step_firing(const struct machine_times *times, struct machine *machine,
                                   int64_t now_us, enum condition condition)
{
    if (condition != CONDITION_FALSE) {
        machine->clear_us = 0;
        return TRANSITION_NONE;
    }
    if (machine->clear_us == 0)
        machine->clear_us = now_us;
    if (now_us - machine->clear_us < times->resolve_us)
        return TRANSITION_NONE;
    enter(machine, PHASE_RESOLVED, now_us);
    return TRANSITION_RESOLVED;
}

enum transition machine_step(const struct machine_times *times, struct machine *machine,
                             int64_t now_us, enum condition condition)
{
    if (now_us < machine->since_us)
        machine->since_us = now_us;
    if (now_us < machine->clear_us)
        machine->clear_us = now_us;
    switch (machine->phase) {
    case PHASE_PENDING:
        return step_pending(times, machine, now_us, condition);
    case PHASE_FIRING:
        return step_firing(times, machine, now_us, condition);
    case PHASE_INACTIVE:
    case PHASE_RESOLVED:
    case PHASES:
        break;
    }
    return step_quiet(times, machine, now_us, condition);
}
