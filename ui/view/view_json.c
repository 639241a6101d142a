/* The view as JSON for the page: one function a panel, texts and the numbers behind them side by
 * side. Names are those of struct view. Pure. */
#include "ui/view/view.h"

#include "engine/base/json.h"
#include "ui/view/views.h"

static void put_headline(struct json_writer *json, const struct view_headline *headline)
{
    json_object(json, "headline");
    json_text(json, "service", headline->service);
    json_text(json, "source", headline->source);
    json_text(json, "clock_word", headline->clock_word);
    json_text(json, "clock_state", health_name(headline->clock_state));
    json_text(json, "clock", headline->clock);
    json_text(json, "worst", health_name(headline->worst));
    json_int(json, "n_pages", headline->n_pages);
    json_int(json, "n_tickets", headline->n_tickets);
    json_text(json, "pages", headline->pages);
    json_text(json, "tickets", headline->tickets);
    json_text(json, "split", headline->split);
    json_text(json, "rate", headline->rate);
    json_text(json, "uptime", headline->uptime);
    json_text(json, "broker", headline->broker);
    json_bool(json, "broker_lost", headline->broker_lost);
    json_object_end(json);
}

static void put_severity(struct json_writer *json, enum health health)
{
    json_text(json, "state", health_name(health));
    json_text(json, "mark", words_mark(health));
    json_text(json, "word", words_health(health));
}

static void put_attention(struct json_writer *json, const struct view *view)
{
    json_array(json, "attention");
    for (int i = 0; i < view->n_attention; i++) {
        const struct view_attention *item = &view->attention[i];
        json_object(json, NULL);
        put_severity(json, item->severity);
        json_text(json, "title", item->title);
        json_text(json, "since", item->since);
        json_time_or_null(json, "since_time", item->since_us);
        json_text(json, "objective", item->objective);
        json_text(json, "feature", item->feature);
        json_text(json, "alert", item->alert);
        json_array(json, "evidence");
        for (int j = 0; j < item->n_evidence; j++) {
            json_object(json, NULL);
            json_text(json, "label", item->evidence[j].label);
            json_text(json, "text", item->evidence[j].text);
            json_object_end(json);
        }
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_burns(struct json_writer *json, const struct view_objective *row)
{
    json_array(json, "burns");
    for (int i = 0; i < BURN_WINDOWS; i++) {
        const struct view_burn *burn = &row->burns[i];
        json_object(json, NULL);
        json_text(json, "window", burn->window);
        json_text(json, "burn", burn->burn);
        json_number(json, "rate", burn->burn_rate);
        json_number(json, "limit", burn->limit);
        json_bool(json, "beyond", burn->beyond);
        json_text(json, "bad", burn->bad);
        json_text(json, "counted", burn->counted);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_objectives(struct json_writer *json, const struct view *view)
{
    json_array(json, "objectives");
    for (int i = 0; i < view->n_objectives; i++) {
        const struct view_objective *row = &view->objectives[i];
        json_object(json, NULL);
        put_severity(json, row->state);
        json_text(json, "name", row->name);
        json_text(json, "now", row->now);
        json_text(json, "want", row->want);
        json_text(json, "budget", row->budget);
        json_number(json, "budget_left", row->budget_left);
        json_text(json, "burn_1h", row->burn_1h);
        json_text(json, "burn_6h", row->burn_6h);
        json_text(json, "n", row->n);
        json_text(json, "window", row->window);
        json_text(json, "gone", row->gone);
        json_text(json, "kept_share", row->kept.share ? row->kept.share : "");
        json_bool(json, "kept_bad", row->kept.bad);
        put_burns(json, row);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_arms(struct json_writer *json, const struct view *view)
{
    json_array(json, "arms");
    for (int i = 0; i < view->n_arms; i++) {
        const struct view_arm *row = &view->arms[i];
        json_object(json, NULL);
        json_text(json, "variant", variant_name(row->variant));
        json_text(json, "model", row->model);
        json_text(json, "wanted", row->wanted);
        json_text(json, "measured", row->measured);
        json_number(json, "share_wanted", row->share_wanted);
        json_number(json, "share_measured", row->share_measured);
        json_text(json, "p50", row->p50);
        json_text(json, "p95", row->p95);
        json_text(json, "p99", row->p99);
        json_text(json, "n", row->n);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_decisions(struct json_writer *json, const struct view *view)
{
    json_text(json, "decided", view->decided);
    json_array(json, "decisions");
    for (int i = 0; i < DECISION_COUNT; i++) {
        const struct view_decision *row = &view->decisions[i];
        json_object(json, NULL);
        json_text(json, "decision", decision_name(row->decision));
        json_text(json, "share", row->share);
        json_text(json, "usual", row->usual);
        json_number(json, "ratio", row->ratio);
        json_number(json, "usual_ratio", row->usual_ratio);
        json_bool(json, "unusual", row->unusual);
        json_text(json, "n", row->n);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_scores(struct json_writer *json, const struct view *view)
{
    json_object(json, "scores");
    json_text(json, "n", view->scored_text);
    json_int(json, "largest", (int64_t)view->largest_bin);
    json_array(json, "bins");
    for (int i = 0; i < SCORE_BINS; i++)
        json_int(json, NULL, (int64_t)view->score_bins[i]);
    json_array_end(json);
    json_object_end(json);
}

static void put_drift_row(struct json_writer *json, const char *key, const struct view_drift *row)
{
    json_object(json, key);
    put_severity(json, row->state);
    json_text(json, "feature", row->feature);
    json_text(json, "variant", row->variant[0] ? row->variant : NULL);
    json_text(json, "name", row->name);
    json_text(json, "psi", row->psi);
    json_text(json, "noise", row->noise);
    json_text(json, "limit", row->limit);
    json_text(json, "waits", row->waits);
    json_number(json, "psi_ratio", row->psi_ratio);
    json_number(json, "noise_ratio", row->noise_ratio);
    json_number(json, "limit_ratio", row->limit_ratio);
    json_text(json, "n", row->n);
    json_text(json, "n_reference", row->n_reference);
    json_object_end(json);
}

static void put_drift(struct json_writer *json, const struct view *view)
{
    if (view->score_drift.feature[0])
        put_drift_row(json, "score_drift", &view->score_drift);
    else
        json_null(json, "score_drift");
    json_array(json, "other_drift");
    for (int i = 0; i < view->n_other_drift; i++)
        put_drift_row(json, NULL, &view->other_drift[i]);
    json_array_end(json);
    json_int(json, "n_drift", view->n_drift_all);
    json_text(json, "drift_note", view->drift_note);
    json_array(json, "drift");
    for (int i = 0; i < view->n_drift; i++)
        put_drift_row(json, NULL, &view->drift[i]);
    json_array_end(json);
}

static void put_recent(struct json_writer *json, const struct view *view)
{
    json_array(json, "recent");
    for (int i = 0; i < view->n_recent; i++) {
        const struct view_recent *row = &view->recent[i];
        json_object(json, NULL);
        json_text(json, "at", row->at);
        json_time(json, "time", row->at_us);
        json_text(json, "event_id", row->event_id);
        json_text(json, "decision", decision_name(row->decision));
        json_text(json, "variant", variant_name(row->variant));
        json_text(json, "score", row->score);
        json_text(json, "rule", row->rule);
        json_int(json, "ledger_index", (int64_t)row->ledger_index);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_quarantine(struct json_writer *json, const struct view *view)
{
    json_text(json, "quarantined", view->quarantined);
    json_text(json, "quarantined_n", view->quarantined_n);
    json_array(json, "quarantine");
    for (int i = 0; i < view->n_quarantine; i++) {
        const struct view_quarantine *row = &view->quarantine[i];
        json_object(json, NULL);
        json_text(json, "reason", row->reason);
        json_text(json, "n", row->n);
        json_text(json, "share", row->share);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_series(struct json_writer *json, const char *key, const struct view_series *series)
{
    json_object(json, key);
    json_text(json, "name", series->name);
    json_text(json, "end", series->end);
    json_text(json, "top", series->top);
    json_array(json, "points"); /* oldest first, one a second; null: no data */
    for (int i = 0; i < series->history.n; i++)
        json_float(json, NULL, series->history.points[i]);
    json_array_end(json);
    json_object_end(json);
}

static void put_totals(struct json_writer *json, const struct view *view)
{
    json_text(json, "events", view->events);
    json_text(json, "accepted", view->accepted);
    json_text(json, "duplicates", view->duplicates);
    json_text(json, "errors", view->errors);
    json_text(json, "tree_size", view->tree_size);
    json_text(json, "root", view->root);
    json_text(json, "queue", view->queue);
    json_text(json, "durability", view->durability);
    json_text(json, "stops", view->stops);
    json_text(json, "entities", view->entities);
    json_text(json, "feature_memory", view->feature_memory);
}

static void put_views(struct json_writer *json)
{
    json_array(json, "views");
    for (int i = 0; i < VIEW_COUNT; i++) {
        const char key[] = {view_entries[i].key, '\0'};
        json_object(json, NULL);
        json_text(json, "id", view_entries[i].id);
        json_text(json, "key", key);
        json_text(json, "title", view_entries[i].title);
        json_text(json, "answers", view_entries[i].answers);
        json_object_end(json);
    }
    json_array_end(json);
}

void view_json(const struct view *view, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "seq", (int64_t)view->seq);
    json_time(&json, "time", view->time_us);
    json_bool(&json, "event_time", view->event_time);
    json_bool(&json, "ready", view->ready);
    json_text(&json, "not_ready", view->not_ready);
    put_views(&json);
    put_headline(&json, &view->headline);
    put_attention(&json, view);
    put_objectives(&json, view);
    put_arms(&json, view);
    json_text(&json, "arms_note", view->arms_note);
    put_decisions(&json, view);
    json_object(&json, "latency");
    json_text(&json, "p50", view->p50);
    json_text(&json, "p95", view->p95);
    json_text(&json, "p99", view->p99);
    json_text(&json, "n", view->latency_n);
    json_number(&json, "limit_us", view->latency_limit_us);
    json_object_end(&json);
    put_scores(&json, view);
    put_drift(&json, view);
    put_recent(&json, view);
    put_quarantine(&json, view);
    put_series(&json, "rate", &view->rate);
    put_series(&json, "p99", &view->p99_series);
    put_series(&json, "decline", &view->decline);
    put_totals(&json, view);
    json_object_end(&json);
}
