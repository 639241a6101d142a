/* What people do about alerts: silences, and taking in hand. Called by those who answer them, who
 * wait until it is on the disk, or is taken back. */
#include <stdio.h>
#include <string.h>

#include "alerts/alerts_priv.h"

static int find(const struct alerts *alerts, const char *name)
{
    for (int i = 0; i < rules_set_count(alerts->rules); i++) {
        if (strcmp(rules_set_get(alerts->rules, i)->name, name) == 0)
            return i;
    }
    return -1;
}

bool alerts_has(const struct alerts *alerts, const char *name)
{
    return find(alerts, name) >= 0;
}

/* A person's change of one alert. */
struct change {
    int i;
    int64_t deadline_ns;
    struct hold before, asked;
};

/* People's changes come one after another, so that what is taken back when the disk refuses is
 * nobody else's. STATUS_OK: the lock is held until end_change(), but while the disk is waited for.
 */
static enum status begin_change(struct alerts *alerts, const char *name, struct change *change,
                                struct error *error)
{
    change->deadline_ns = monotonic_ns() + 1000 * alerts->disk_timeout_us;
    change->i = find(alerts, name);
    if (change->i < 0)
        return error_set(error, STATUS_NOT_FOUND, "there is no alert called %.100s", name);
    lock_take(&alerts->lock);
    while (alerts->asking && monotonic_ns() < change->deadline_ns)
        condition_wait_until(&alerts->answered, &alerts->lock, change->deadline_ns);
    if (alerts->asking) {
        lock_release(&alerts->lock);
        return error_set(error, STATUS_UNAVAILABLE,
                         "the disk does not answer, and another change waits for it already; "
                         "nothing was changed");
    }
    alerts->asking = true;
    change->before = change->asked = alerts->alerts[change->i].hold;
    return STATUS_OK;
}

static void end_change(struct alerts *alerts)
{
    alerts->asking = false;
    pthread_cond_signal(&alerts->answered);
    lock_release(&alerts->lock);
}

static void set_hold(struct alerts *alerts, int i, const struct hold *hold)
{
    lock_assert_held(&alerts->lock);
    alerts->alerts[i].hold = *hold;
    alerts->alerts[i].changed = ++alerts->changes;
}

/* Waits until it is on the disk; what is not is taken back, or a restart would forget what somebody
 * was told is done. A judgement meanwhile may have ended the incident that was taken in hand. */
static enum status make_change(struct alerts *alerts, const struct change *change,
                               struct error *error)
{
    set_hold(alerts, change->i, &change->asked);
    lock_release(&alerts->lock);
    enum status status = saver_await(alerts->saver, change->deadline_ns, error);
    lock_take(&alerts->lock);
    if (status == STATUS_OK)
        return STATUS_OK;
    struct hold hold = alerts->alerts[change->i].hold;
    hold.silent_until_us = change->before.silent_until_us;
    if (hold.fired_us == change->asked.fired_us) {
        hold.fired_us = change->before.fired_us;
        memcpy(hold.by, change->before.by, sizeof hold.by);
    }
    set_hold(alerts, change->i, &hold);
    saver_wake(alerts->saver);
    return status;
}

enum status alerts_silence(struct alerts *alerts, const char *name, int64_t until_us,
                           struct error *error)
{
    struct change change;
    enum status status = begin_change(alerts, name, &change, error);
    if (status != STATUS_OK)
        return status;
    change.asked.silent_until_us = until_us;
    status = make_change(alerts, &change, error);
    end_change(alerts);
    return status;
}

enum status alerts_acknowledge(struct alerts *alerts, const char *name, const char *who,
                               struct error *error)
{
    struct change change;
    enum status status = begin_change(alerts, name, &change, error);
    if (status != STATUS_OK)
        return status;
    const struct machine *machine = &alerts->alerts[change.i].machine;
    change.asked.fired_us = machine->fired_us;
    snprintf(change.asked.by, sizeof change.asked.by, "%s", who);
    status = machine->phase == PHASE_FIRING
                 ? make_change(alerts, &change, error)
                 : error_set(error, STATUS_CONFLICT, "%.100s does not fire", name);
    end_change(alerts);
    return status;
}
