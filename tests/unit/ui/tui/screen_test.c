/* Pages without a terminal: what burns is on the first page at every size, hostile names cannot
 * leave their cells, and each way of having nothing to show has its own picture. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "ui/tui/screen.h"

struct fixture {
    struct snapshot *snapshot;
    struct screen *screen;
    struct buffer text;
};

static void add_slo(struct snapshot *snapshot, const char *name, enum health state)
{
    struct slo_status *slo = &snapshot->slos[snapshot->n_slos++];
    snprintf(slo->name, sizeof slo->name, "%s", name);
    slo->target = 0.95;
    slo->attainment = 0.912;
    slo->budget_left = state == HEALTH_PAGE ? 0.38 : 0.96;
    slo->n = state == HEALTH_NODATA ? 0 : 1290000;
    slo->state = state;
    slo->since_us = snapshot->time_us - 12 * US_PER_MIN;
    slo->window_us = 30 * US_PER_DAY;
    for (int i = 0; i < BURN_WINDOWS; i++) {
        slo->burn[i] = state == HEALTH_PAGE ? 16.2 : 0.1;
        slo->counted[i] = 10000;
        slo->bad[i] = 900;
    }
}

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->screen = calloc(1, sizeof *fixture->screen);
    screen_init(fixture->screen);
    struct snapshot *snapshot = fixture->snapshot = calloc(1, sizeof *snapshot);
    buffer_init(&fixture->text, 1u << 20);
    snapshot->seq = 9;
    snapshot->ready = true;
    (void)time_parse(slice_of("2026-01-02T14:03:22Z"), &snapshot->time_us);
    snapshot->started_us = snapshot->time_us - US_PER_DAY;
    snprintf(snapshot->service, sizeof snapshot->service, "fraud-eu");
    snapshot->events_per_s = 12480;
    snapshot->events_total = 1754155;
    snapshot->latency_us = (struct latency_summary){400, 212000, 480000, 700000};
    add_slo(snapshot, "availability", HEALTH_OK);
    add_slo(snapshot, "latency", HEALTH_PAGE);
    add_slo(snapshot, "freshness", HEALTH_NODATA);
    *state = fixture;
    return 0;
}

static int drop(void **state)
{
    struct fixture *fixture = *state;
    buffer_free(&fixture->text);
    free(fixture->snapshot);
    feed_destroy(fixture->screen->feed);
    screen_free(fixture->screen);
    free(fixture->screen);
    free(fixture);
    return 0;
}

static const char *draw(struct fixture *fixture, int columns, int rows)
{
    struct canvas canvas;
    assert_true(canvas_init(&canvas, columns, rows, false));
    screen_draw(fixture->screen, &canvas);
    buffer_reset(&fixture->text);
    canvas_text(&canvas, &fixture->text);
    canvas_free(&canvas);
    /* thin spaces as plain ones, so that the tests can be read */
    for (char *at = fixture->text.data; (at = strstr(at, "\u2009"));) {
        *at = ' ';
        memmove(at + 1, at + 3, strlen(at + 3) + 1);
    }
    return fixture->text.data;
}

static void type(struct fixture *fixture, const char *keys)
{
    for (; *keys; keys++)
        screen_handle(fixture->screen, *keys == '\n'   ? SCREEN_ENTER
                                       : *keys == '\t' ? SCREEN_TAB
                                                       : *keys);
}

static void expect(const char *picture, const char *words)
{
    if (!strstr(picture, words))
        fail_msg("'%s' is not on\n%s", words, picture);
}

static void what_burns_is_first_at_every_size(void **state)
{
    struct fixture *fixture = *state;
    static const int sizes[][2] = {{60, 20}, {80, 24}, {120, 40}, {200, 60}, {40, 10}};
    screen_update(fixture->screen, fixture->snapshot);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const char *picture = draw(fixture, sizes[i][0], sizes[i][1]);
        expect(picture, "▲ 1 page");
        const char *third = strchr(strchr(picture, '\n') + 1, '\n') + 1;
        assert_ptr_equal(strstr(picture, "\n›▲ latency"), third - 1);
        expect(picture, "?");
    }
}

static void eighty_columns_hold_evidence_and_objectives(void **state)
{
    struct fixture *fixture = *state;
    screen_update(fixture->screen, fixture->snapshot);
    const char *picture = draw(fixture, 80, 24);
    expect(picture, "since 13:51Z, 12 min");
    expect(picture, "16.2×");
    expect(picture, "burning");
    expect(picture, "○ freshness");
    expect(picture, "38 %");
    expect(picture, "p99 480 ms");
}

/* The rows of a small terminal go to the cause and to what to do, not to the figures before them.
 */
static void few_rows_hold_the_cause_and_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *snapshot = fixture->snapshot;
    snapshot->ready = false;
    snapshot->record = (struct record_status){
        .used = true, .state = RECORD_WRITES, .commit_us = 2.1e6, .wait_us = 2.1e6, .refused = 33};
    struct explanation *explanation = &snapshot->explanation;
    for (int i = 0; i < snapshot->n_slos; i++)
        snapshot->slos[i].state = HEALTH_OK;
    explanation->n_causes = 1;
    explanation->since_us = snapshot->time_us - US_PER_MIN;
    snprintf(explanation->incident, sizeof explanation->incident, "commits are slow");
    explanation->users = NAN;
    explanation->requests = 1693;
    explanation->errors = 37;
    explanation->decisions = 0;
    snprintf(explanation->causes[0].cause, sizeof explanation->causes[0].cause, "dependency");
    snprintf(explanation->causes[0].evidence, sizeof explanation->causes[0].evidence,
             "for 96 %% of the time the writer waited for a lock that another process held");
    snprintf(explanation->action, sizeof explanation->action, "end the process that holds it");
    screen_update(fixture->screen, snapshot);
    const char *picture = draw(fixture, 80, 22);
    expect(picture, "cause   dependency");
    expect(picture, "  another process held"); /* to its end, over two rows */
    expect(picture, "impact  1 693 requests, 37 without a decision");
    if (strstr(picture, "other decision"))
        fail_msg("none came out otherwise on\n%s", picture);
    expect(picture, "do      end the process that holds it");
    expect(picture, "detail  0 of 0 places");
    if (strstr(picture, "speed"))
        fail_msg("a figure took the place of\n%s", picture);
    expect(draw(fixture, 80, 40), "speed   a group of rows takes 2.10 s");
    expect(fixture->text.data, "▲ not deciding");
    expect(fixture->text.data, "a acknowledge   s silence");
    assert_null(strstr(fixture->text.data, "x roll the canary back")); /* it is not the canary */
    for (int i = 0; i < snapshot->n_slos; i++)
        snapshot->slos[i].state = HEALTH_PAGE; /* more titles: lines that sum up give way */
    screen_update(fixture->screen, snapshot);
    type(fixture, "jjj");
    picture = draw(fixture, 80, 24);
    expect(picture, "  another process held");
    expect(picture, "do      end the process that holds it");
    assert_null(strstr(picture, "contract "));
    expect(picture, "decided % no decision");
}

static void nothing_to_show_has_a_picture_for_each_reason(void **state)
{
    struct fixture *fixture = *state;
    struct screen *screen = fixture->screen;
    screen_update(screen, NULL);
    expect(draw(fixture, 80, 24), "waiting for the first picture");
    screen->remote = true;
    screen->peer = (struct tui_peer){.state = PEER_AWAY,
                                     .url = "http://x:1",
                                     .since_us = fixture->snapshot->time_us - 30 * US_PER_S,
                                     .now_us = fixture->snapshot->time_us};
    expect(draw(fixture, 80, 24), "no answer from http://x:1 since 14:02:52Z, 30 s");
    screen->peer.state = PEER_REFUSED;
    expect(draw(fixture, 80, 24), "refused by http://x:1");
    screen_update(screen, fixture->snapshot);
    screen->peer.state = PEER_STALE;
    expect(draw(fixture, 80, 24), "the picture stands still");
    expect(fixture->text.data, "stale");
    expect(fixture->text.data, "objective");
    screen->remote = false;
    fixture->snapshot->n_slos = 0;
    screen_update(screen, fixture->snapshot);
    expect(draw(fixture, 80, 24), "no objectives are configured");
    expect(fixture->text.data, "nothing needs a person");
    expect(fixture->text.data, "no event was decided yet");
}

static void hostile_names_stay_in_their_cells(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *snapshot = fixture->snapshot;
    static const char name[] = "\033]0;x\a\xff日本\u202e\u0301";
    snprintf(snapshot->service, sizeof snapshot->service, "%s", name);
    snprintf(snapshot->slos[1].name, sizeof snapshot->slos[1].name, "%s", name);
    snapshot->n_recent = 1;
    snprintf(snapshot->recent[0].event_id, sizeof snapshot->recent[0].event_id, "%s", name);
    snapshot->n_quarantine = 1;
    snapshot->quarantine[0].n = 3;
    snprintf(snapshot->quarantine[0].name, sizeof snapshot->quarantine[0].name, "%s", name);
    screen_update(fixture->screen, snapshot);
    for (int page = '1'; page <= '4'; page++) {
        screen_handle(fixture->screen, page);
        const char *picture = draw(fixture, 80, 24);
        assert_null(strpbrk(picture, "\033\a\xff"));
        assert_null(strstr(picture, "\u202e"));
        screen_handle(fixture->screen, SCREEN_ENTER);
        assert_null(strpbrk(draw(fixture, 80, 24), "\033\a\xff"));
    }
}

static void every_page_can_be_drawn_at_every_size(void **state)
{
    struct fixture *fixture = *state;
    screen_update(fixture->screen, fixture->snapshot);
    for (int page = '1'; page <= '4'; page++) {
        screen_handle(fixture->screen, page);
        for (int columns = 1; columns < 140; columns += 3)
            for (int rows = 1; rows < 40; rows += 3)
                draw(fixture, columns, rows);
    }
}

static void keys_select_and_open_and_go_back(void **state)
{
    struct fixture *fixture = *state;
    struct screen *screen = fixture->screen;
    screen_update(screen, fixture->snapshot);
    assert_true(screen_handle(screen, SCREEN_DOWN));
    assert_true(screen_is_selected(screen, ITEM_OBJECTIVE, 0));
    screen_handle(screen, 'k');
    screen_handle(screen, 'k');
    assert_true(screen_is_selected(screen, ITEM_ATTENTION, 0));
    screen_handle(screen, SCREEN_END);
    assert_true(screen_is_selected(screen, ITEM_OBJECTIVE, 2));
    screen_handle(screen, SCREEN_ENTER);
    expect(draw(fixture, 80, 24), "method");
    screen_handle(screen, SCREEN_ESCAPE);
    expect(draw(fixture, 80, 24), "objective  ");
    screen_handle(screen, 'p');
    fixture->snapshot->n_slos = 0;
    screen_update(screen, fixture->snapshot);
    expect(draw(fixture, 80, 24), "paused");
    expect(fixture->text.data, "availability");
    assert_false(screen_handle(screen, 'q'));
}

/* ---- documents ---- */

struct answer {
    const char *begins; /* of the target */
    const char *body;   /* NULL: nobody answers */
};

static int answer(void *context, const char *method, const char *target, struct slice body,
                  struct buffer *reply, struct error *error)
{
    (void)method, (void)body;
    for (const struct answer *answer = context; answer->begins; answer++)
        if (strncmp(target, answer->begins, strlen(answer->begins)) == 0 && answer->body) {
            buffer_append_text(reply, answer->body);
            return 200;
        }
    (void)error_set(error, STATUS_UNAVAILABLE, "nobody answers");
    return 0;
}

static void with_documents(struct fixture *fixture, const struct answer *answers)
{
    struct error error;
    struct feed_source source = {
        .ask = answer, .context = (void *)(uintptr_t)answers, .direct = true};
    feed_destroy(fixture->screen->feed);
    assert_int_equal(feed_create(&source, &fixture->screen->feed, &error), STATUS_OK);
}

static const char views[] =
    "{\"views\":[{\"name\":\"night\",\"title\":\"Night watch\",\"panels\":[]},"
    "{\"name\":\"drifters\",\"title\":\"Who drifts\",\"panels\":[]}]}";

static void views_of_ones_own_are_reached_by_their_names(void **state)
{
    struct fixture *fixture = *state;
    static const struct answer answers[] = {{"/api/v1/views", views}, {NULL, NULL}};
    with_documents(fixture, answers);
    screen_update(fixture->screen, fixture->snapshot);
    type(fixture, ":night\n");
    expect(draw(fixture, 80, 24), "› night");
    type(fixture, "1:drifte\t");
    assert_string_equal(fixture->screen->prompt.text, "drifters");
    type(fixture, "\n");
    expect(draw(fixture, 80, 24), "› drifters");
    type(fixture, "1:NI\n");
    expect(draw(fixture, 80, 24), "› night");
    type(fixture, "/drift\n1:night\n"); /* what the filter hides is shown */
    expect(draw(fixture, 80, 24), "› night");
    type(fixture, "1:drift\n"); /* a view of the table, although one of one's own begins so */
    assert_int_equal(fixture->screen->page, VIEW_DRIFT);
    type(fixture, "1:dri\n");
    expect(fixture->screen->message, "'dri' begins several views");
    type(fixture, ":nobody\n");
    expect(fixture->screen->message, "there is no view 'nobody'");
    assert_int_equal(fixture->screen->page, VIEW_NOW);
}

static void a_name_waits_for_the_list_of_views(void **state)
{
    struct fixture *fixture = *state;
    static struct answer answers[] = {{"/api/v1/views", NULL}, {NULL, NULL}};
    with_documents(fixture, answers);
    screen_update(fixture->screen, fixture->snapshot);
    assert_true(screen_go(fixture->screen, "drifters"));
    expect(draw(fixture, 80, 24), "no answer");
    answers[0].body = views;
    feed_expire(fixture->screen->feed);
    expect(draw(fixture, 80, 24), "› drifters");
    answers[0].body = NULL;
    with_documents(fixture, answers);
    assert_true(screen_go(fixture->screen, "nobody"));
    answers[0].body = views;
    feed_expire(fixture->screen->feed);
    expect(draw(fixture, 80, 24), "there is no view 'nobody'");
}

static void charts_span_what_there_is_until_one_chooses(void **state)
{
    struct fixture *fixture = *state;
    /* 14:03:22 is 1767362602 s */
    static struct answer answers[] = {
        {"/api/v1/history?series=events&",
         "{\"series\":[{\"points\":[[1767358800000,null],[1767361800000,5],[1767362400000,7]]}]}"},
        {NULL, NULL}};
    with_documents(fixture, answers);
    screen_update(fixture->screen, fixture->snapshot);
    draw(fixture, 80, 24);
    assert_string_equal(screen_range_word(fixture->screen), "15 min");
    answers[0].body =
        "{\"series\":[{\"points\":[[1767358800000,null],[1767360000000,5],[1767362400000,7]]}]}";
    feed_expire(fixture->screen->feed);
    draw(fixture, 80, 24);
    assert_string_equal(screen_range_word(fixture->screen), "1 h");
    screen_handle(fixture->screen, '+');
    draw(fixture, 80, 24);
    assert_string_equal(screen_range_word(fixture->screen), "6 h");
}

static void keys_of_a_page_stand_over_the_bar(void **state)
{
    struct fixture *fixture = *state;
    screen_update(fixture->screen, fixture->snapshot);
    expect(draw(fixture, 80, 24), "a acknowledge   s silence   Enter why"); /* beside what hurts */
    expect(draw(fixture, 80, 12), " x roll back  a acknowledge  s silence  Enter in full ─");
    type(fixture, "3");
    expect(draw(fixture, 80, 24), " t shares  x roll back  + - time  Tab chart ─");
    expect(fixture->text.data, "8Settings");
    fixture->screen->readonly = true; /* what would be refused is not offered */
    expect(draw(fixture, 80, 24), "─ + - time  Tab chart ─");
}

static void add_arm(struct snapshot *snapshot, enum variant variant, double share, uint64_t n)
{
    struct arm_status *arm = &snapshot->arms[snapshot->n_arms++];
    arm->variant = variant;
    snprintf(arm->model, sizeof arm->model, "fraud");
    snprintf(arm->version, sizeof arm->version, "%d", 11 + snapshot->n_arms);
    arm->share_wanted = share;
    arm->share_measured = n ? (double)n / 1000 : NAN;
    arm->n = n;
}

static void an_arm_without_traffic_has_none_and_without_any_traffic_it_is_not_known(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *snapshot = fixture->snapshot;
    add_arm(snapshot, VARIANT_CHAMPION, 1, 1000);
    add_arm(snapshot, VARIANT_CANARY, 0, 0);
    snapshot->decisions[DECISION_APPROVE] = 1000;
    screen_update(fixture->screen, snapshot);
    expect(draw(fixture, 80, 24), "champion 100.0 of 100   canary 0.0 of 0");
    snapshot->decisions[DECISION_APPROVE] = snapshot->arms[0].n = 0;
    screen_update(fixture->screen, snapshot);
    expect(draw(fixture, 80, 24), "champion 100   canary 0   no event in the last minute");
}

static void of_several_shadows_the_one_that_is_judged_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct snapshot *snapshot = fixture->snapshot;
    struct drift_status *score = &snapshot->shadow_drift[snapshot->n_shadow_drift++];
    *score = (struct drift_status){.psi = 0.2, .noise = 0.01, .threshold = 0.3, .n = 5000};
    snprintf(score->feature, sizeof score->feature, "score");
    add_arm(snapshot, VARIANT_SHADOW, 1, 500);
    snapshot->arms[0].judged = true;
    screen_update(fixture->screen, snapshot);
    type(fixture, "4");
    expect(draw(fixture, 80, 24), "score (shadow) ");
    add_arm(snapshot, VARIANT_SHADOW, 0.1, 50);
    screen_update(fixture->screen, snapshot);
    expect(draw(fixture, 80, 24), "score (shadow fraud 12)");
    type(fixture, "3\n");
    expect(draw(fixture, 80, 24), "compared with the reference");
    screen_handle(fixture->screen, SCREEN_ESCAPE);
    type(fixture, "G\n");
    expect(draw(fixture, 80, 24), "not judged");
}

static void of_several_canaries_one_gets_another_share_and_all_are_rolled_back(void **state)
{
    struct fixture *fixture = *state;
    static const struct answer answers[] = {{NULL, NULL}};
    struct screen *screen = fixture->screen;
    with_documents(fixture, answers);
    add_arm(fixture->snapshot, VARIANT_CHAMPION, 0.7, 700);
    add_arm(fixture->snapshot, VARIANT_CANARY, 0.2, 200);
    add_arm(fixture->snapshot, VARIANT_CANARY, 0.1, 100);
    screen_update(screen, fixture->snapshot);
    type(fixture, "3G"); /* the second canary is selected */
    type(fixture, "t15\n");
    expect(draw(fixture, 80, 24), "canary fraud 14 goes from 10 % to 15 %");
    expect(fixture->text.data, "champion fraud 12 gets 65 %");
    expect(screen->action.body, "\"version\":\"12\",\"share\":65");
    expect(screen->action.body, "\"version\":\"13\",\"share\":20");
    expect(screen->action.body, "\"version\":\"14\",\"share\":15");
    screen_handle(screen, SCREEN_ESCAPE);
    type(fixture, "t10\n");
    expect(screen->message, "already");
    type(fixture, "t90\n");
    expect(screen->message, "more than 100 %");
    type(fixture, "x");
    expect(draw(fixture, 80, 24), "canary fraud 13 goes from 20 % to 0 %");
    expect(fixture->text.data, "canary fraud 14 goes from 10 % to 0 %");
    expect(screen->action.body, "\"version\":\"12\",\"share\":100");
}

static void rows_of_one_name_keep_their_places(void **state)
{
    struct fixture *fixture = *state;
    add_arm(fixture->snapshot, VARIANT_SHADOW, 1, 10);
    add_arm(fixture->snapshot, VARIANT_SHADOW, 1, 10);
    add_arm(fixture->snapshot, VARIANT_SHADOW, 1, 10);
    screen_update(fixture->screen, fixture->snapshot);
    type(fixture, "3j");
    screen_update(fixture->screen, fixture->snapshot);
    draw(fixture, 80, 24);
    assert_true(screen_is_selected(fixture->screen, ITEM_ARM, 1));
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_burns_is_first_at_every_size, make, drop),
        cmocka_unit_test_setup_teardown(eighty_columns_hold_evidence_and_objectives, make, drop),
        cmocka_unit_test_setup_teardown(few_rows_hold_the_cause_and_what_to_do, make, drop),
        cmocka_unit_test_setup_teardown(nothing_to_show_has_a_picture_for_each_reason, make, drop),
        cmocka_unit_test_setup_teardown(hostile_names_stay_in_their_cells, make, drop),
        cmocka_unit_test_setup_teardown(every_page_can_be_drawn_at_every_size, make, drop),
        cmocka_unit_test_setup_teardown(keys_select_and_open_and_go_back, make, drop),
        cmocka_unit_test_setup_teardown(views_of_ones_own_are_reached_by_their_names, make, drop),
        cmocka_unit_test_setup_teardown(a_name_waits_for_the_list_of_views, make, drop),
        cmocka_unit_test_setup_teardown(charts_span_what_there_is_until_one_chooses, make, drop),
        cmocka_unit_test_setup_teardown(keys_of_a_page_stand_over_the_bar, make, drop),
        cmocka_unit_test_setup_teardown(
            an_arm_without_traffic_has_none_and_without_any_traffic_it_is_not_known, make, drop),
        cmocka_unit_test_setup_teardown(of_several_shadows_the_one_that_is_judged_is_named, make,
                                        drop),
        cmocka_unit_test_setup_teardown(
            of_several_canaries_one_gets_another_share_and_all_are_rolled_back, make, drop),
        cmocka_unit_test_setup_teardown(rows_of_one_name_keep_their_places, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
