/* The table of views on the terminal, in the order of enum view_id. */
#include "ui/tui/pages.h"

const struct page pages[VIEW_COUNT] = {
    [VIEW_NOW] = {fill_now, draw_now, open_now, "Enter in full", "Esc back",
                  "x roll back  a acknowledge  s silence"},
    [VIEW_SLO] = {fill_slo, draw_slo, open_slo, "+ - time  Tab chart",
                  "+ - time  Tab chart  Esc back", NULL},
    [VIEW_TRAFFIC] = {fill_traffic, draw_traffic, open_traffic, "+ - time  Tab chart",
                      "+ - time  Esc back", "t shares  x roll back"},
    [VIEW_DRIFT] = {fill_drift, draw_drift, open_drift, "+ - time  Tab chart  Enter in full",
                    "+ - time  m method  v canary  Esc back", NULL},
    [VIEW_QUALITY] = {fill_quality, draw_quality, open_quality, "Tab panel  Enter in full",
                      "Esc back", "r retry"},
    [VIEW_DECISIONS] = {fill_decisions, draw_decisions, open_decisions, "f find  Enter in full",
                        "Esc back", NULL},
    [VIEW_LOGS] = {fill_logs, draw_logs, open_logs, "Enter in full", "Esc back", NULL},
    [VIEW_SETTINGS] = {fill_settings, draw_settings, open_settings, "Enter meaning", "Esc back",
                       NULL},
    [VIEW_OWN] = {fill_own, draw_own, NULL, "+ - time  Tab chart", NULL, NULL},
    [VIEW_HELP] = {fill_help, draw_help, NULL, NULL, NULL, NULL},
};
