/* The life of one alert: inactive, pending for as long as the rule asks, firing, resolved. A pure
 * function of the time, the state and what the condition says. */
#ifndef BINNACLE_ALERTS_MACHINE_H
#define BINNACLE_ALERTS_MACHINE_H

#include <stdint.h>

enum machine_phase { PHASE_INACTIVE, PHASE_PENDING, PHASE_FIRING, PHASE_RESOLVED, PHASES };
/* "inactive", "pending", "firing", "resolved". */
const char *machine_phase_name(enum machine_phase phase);

/* What the condition says of this moment. Unknown: there is no data to tell. */
enum condition { CONDITION_FALSE, CONDITION_TRUE, CONDITION_UNKNOWN };

struct machine_times {
    int64_t for_us;     /* the condition must hold so long before the alert fires */
    int64_t resolve_us; /* and must be false so long before it resolves: no flapping */
    int64_t shown_us;   /* resolved alerts are shown so long */
};

struct machine {
    enum machine_phase phase;
    int64_t since_us; /* when it entered the phase */
    int64_t clear_us; /* firing: since when the condition has been false; 0: it is not */
    int64_t fired_us; /* firing, resolved: when it fired; names the incident */
};

enum transition { TRANSITION_NONE, TRANSITION_FIRING, TRANSITION_RESOLVED };

/* Brings *machine to now_us. A firing alert without data keeps firing: silence is not recovery. A
 * clock that was set back starts the waiting times again. */
enum transition machine_step(const struct machine_times *times, struct machine *machine,
                             int64_t now_us, enum condition condition);

#endif
