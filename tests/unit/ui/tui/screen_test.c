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
    explanation->errors = explanation->decisions = 37;
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
        fail_msg("those without a decision are counted twice on\n%s", picture);
    expect(picture, "do      end the process that holds it");
    expect(picture, "detail  0 of 0 places");
    if (strstr(picture, "speed"))
        fail_msg("a figure took the place of\n%s", picture);
    expect(draw(fixture, 80, 40), "speed   a group of rows takes 2.10 s");
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
