/* The table of views. */
#include "ui/view/views.h"

#include <string.h>
#include <strings.h>

const struct view_entry view_entries[VIEW_COUNT] = {
    [VIEW_NOW] = {"now", '1', "Now", "what hurts, since when, why, and what to do"},
    [VIEW_SLO] = {"slo", '2', "SLO", "objectives, error budgets, burn, latency and errors"},
    [VIEW_TRAFFIC] = {"traffic", '3', "Traffic", "champion, canary and shadow beside each other"},
    [VIEW_DRIFT] = {"drift", '4', "Drift", "inputs and scores against their reference"},
    [VIEW_QUALITY] = {"quality", '5', "Quality", "fields, freshness, volume and quarantine"},
    [VIEW_DECISIONS] = {"decisions", '6', "Decisions", "find a decision; one of them in full"},
    [VIEW_LOGS] = {"logs", '7', "Logs", "what the service says of itself"},
    [VIEW_SETTINGS] = {"settings", '8', "Settings",
                       "the configuration and where each value is from"},
    [VIEW_HELP] = {"help", '9', "Help", "keys, marks and words"},
    [VIEW_OWN] = {"own", '0', "Own", "panels of your own: `views` in binnacle.yaml"},
};

int view_find(const char *word)
{
    int found = -1;
    size_t length = strlen(word);
    for (int i = 0; i < VIEW_COUNT; i++) {
        if (strcasecmp(view_entries[i].id, word) == 0)
            return i;
        if (length > 0 && strncasecmp(view_entries[i].id, word, length) == 0)
            found = found == -1 ? i : -2;
    }
    return found;
}
