/* The table of views on the terminal, in the order of enum view_id. */
#include "ui/tui/pages.h"

const struct page pages[VIEW_COUNT] = {
    [VIEW_NOW] = {fill_now, draw_now, open_now, "x roll back  a acknowledge  s silence"},
    [VIEW_SLO] = {fill_slo, draw_slo, open_slo, "+ - time"},
    [VIEW_TRAFFIC] = {fill_traffic, draw_traffic, open_traffic, "t shares  x roll back"},
    [VIEW_DRIFT] = {fill_drift, draw_drift, open_drift, "m method  v variant"},
    [VIEW_QUALITY] = {fill_quality, draw_quality, open_quality, "r retry"},
    [VIEW_DECISIONS] = {fill_decisions, draw_decisions, open_decisions, "f find"},
    [VIEW_LOGS] = {fill_logs, draw_logs, open_logs, "/ filter"},
    [VIEW_SETTINGS] = {fill_settings, draw_settings, open_settings, "/ filter"},
    [VIEW_OWN] = {fill_own, draw_own, NULL, "+ - time"},
    [VIEW_HELP] = {fill_help, draw_help, NULL, NULL},
};
