/* Causes from counts: faults are put into simulated minutes, and the first cause has to be theirs.
 */
#include "tests/unit/engine/monitor/explain_fixture.h"

static void finds_nulls_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.null_share = 0.2;
    struct explanation out = end(&world, &rules, 1);
    assert_first(&out, "upstream", "country");
    assert_true(out.requests > 0.15 * 40 * RATE && out.requests < 0.25 * 40 * RATE);
}

static void finds_the_cohort_that_carries_the_excess(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.null_country = 3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "cohort", "country=DE");
    assert_true(out.causes[0].share_of_excess > 0.9);
}

/* Bug: what is little among all was nothing, though all of a cohort's events were lost. */
static void finds_a_cohort_of_few_events(void **state)
{
    struct world world;
    (void)state;
    begin_with_rare(&world, 0.02);
    world.null_country = 3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "cohort", "country=DE");
    assert_true(out.requests > 10 && out.requests < 40);
}

/* Fewer decisions moved than would be told of any window; at a change it is. */
static void a_change_is_held_against_what_came_since(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        struct world world;
        begin(&world);
        world.lenient = 0.037;
        struct explanation out = end(&world, &rules, n);
        assert_string_equal(out.causes[0].cause, n ? "rules" : "none");
    }
}

static void finds_values_that_changed_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.amount = 100;
    struct explanation out = end(&world, &split, 1);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_split_whose_canary_carries_the_excess(void **state)
{
    const struct explain_change both[] = {rules, split};
    struct world world;
    (void)state;
    begin(&world);
    world.canary = 0.6;
    world.canary_bad = 0.3;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "split", "variant=canary");
    assert_true(out.causes[0].share_of_excess > 0.7);
    assert_int_equal(out.causes[0].changed_at_us, split.at_us);
}

/* Bug: by decisions, of which hardly any moved, the canary carried none of it. */
static void blames_a_split_whose_canary_scores_otherwise(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.canary = 0.6;
    world.canary_shift = 0.06;
    struct explanation out = end(&world, &split, 1);
    assert_first(&out, "split", "variant=canary");
    assert_true(out.causes[0].share_of_excess > 0.8);
}

/* Bug: half of what rules did was done to the canary's events, and put down to the split. */
static void a_canary_that_decides_as_the_champion_does_is_not_blamed_for_rules(void **state)
{
    const struct explain_change both[] = {rules, split};
    struct world world;
    (void)state;
    begin(&world);
    world.lenient = 0.3;
    world.canary = 0.6;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "rules", "rule=amounts");
}

static void blames_a_split_that_took_the_canary_back(void **state)
{
    struct world world;
    (void)state;
    begin_with_canary(&world, 0.5, 0.3);
    world.canary = 0;
    struct explanation out = end(&world, &split, 1);
    assert_first(&out, "split", "variant=canary");
}

static void blames_rules_whose_decisions_moved_and_not_the_split_beside_them(void **state)
{
    const struct explain_change both[] = {split, rules};
    struct world world;
    (void)state;
    begin(&world);
    world.lenient = 0.2;
    world.canary = 0.1; /* more of a canary that decides as the champion does */
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "rules", "rule=amounts");
}

static const struct explain_change model = {EXPLAIN_MODEL, START_US + FAULT_AT * 1000000,
                                            "the champion is fraud 2, before fraud 1"};
static const struct explain_change contract = {EXPLAIN_CONTRACT, START_US + FAULT_AT * 1000000,
                                               "contract.yaml"};

static void blames_a_model_whose_scores_moved_while_the_events_did_not(void **state)
{
    const struct explain_change both[] = {rules, model};
    struct world world;
    (void)state;
    begin(&world);
    world.score_shift = 0.05;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "model", "score");
    assert_int_equal(out.causes[0].changed_at_us, model.at_us);
    assert_non_null(strstr(out.causes[0].evidence, "fraud 2"));
}

static void does_not_blame_a_model_for_events_that_changed(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.amount = 100;
    world.score_shift = 0.05;
    struct explanation out = end(&world, &model, 1);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_contract_that_refuses_what_it_took_before(void **state)
{
    const struct explain_change both[] = {contract, split};
    struct world world;
    (void)state;
    begin(&world);
    world.invalid_share = 0.3;
    struct explanation out = end(&world, both, 2);
    assert_first(&out, "contract", "amount");
    assert_int_equal(out.causes[0].changed_at_us, contract.at_us);
}

static void the_same_without_a_change_is_upstream(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.invalid_share = 0.3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "upstream", "amount");
}

static void blames_a_source_that_says_that_it_takes_nothing(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.copies = 0.1;
    world.source_stalled = true;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "source", "kafka");
}

/* Slow decisions: of the store where that is another process, else of this machine. */
static void tells_a_slow_store_from_a_slow_machine(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct world world;
        begin(&world);
        world.latency_us = 60000;
        world.shared_store = shared != 0;
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, shared ? "dependency" : "resource",
                     shared ? "online store" : "processor");
    }
}

/* Slow commits: of another process where the writer waited for its lock, else of the disk. */
static void tells_a_lock_from_a_slow_disk(void **state)
{
    (void)state;
    for (int locked = 0; locked < 2; locked++) {
        struct world world;
        begin_with(&world, 2000);
        world.commit_us = 900000;
        world.lock_waited_us = locked ? 800000 : 0;
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, locked ? "dependency" : "resource",
                     locked ? "ledger lock" : "ledger disk");
    }
}

static void finds_labels_that_turned(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.positive = 0.9;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "labels", "base rate");
}

static void finds_more_traffic_and_less(void **state)
{
    static const double factors[] = {4, 0.1};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        begin(&world);
        world.copies = factors[i];
        struct explanation out = end(&world, NULL, 0);
        assert_first(&out, "volume", "");
    }
}

/* Bug: what was written more slowly because there was more of it was a slow disk. */
static void more_traffic_is_the_cause_of_slower_commits(void **state)
{
    struct world world;
    (void)state;
    begin_with(&world, 2000);
    world.copies = 6;
    world.commit_us = 60000;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "volume", "");
}

/* Bug: where a busy machine wrote in a tenth of a second, its disk was an incident. */
static void commits_that_hold_nobody_up_are_no_incident(void **state)
{
    struct world world;
    (void)state;
    begin_with(&world, 9000);
    world.commit_us = 90000;
    struct explanation out = end(&world, NULL, 0);
    assert_string_equal(out.causes[0].cause, "none");
}

static void a_slow_disk_that_nobody_waits_for_comes_after_what_hurts(void **state)
{
    struct world world;
    (void)state;
    begin_with(&world, 2000);
    world.commit_us = 900000;
    world.null_share = 0.06;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "upstream", "country");
    assert_string_equal(out.causes[1].slice, "ledger disk");
}

/* Events of one country that have no amount come on top of what usually comes. */
static void more_events_that_are_refused_are_a_matter_of_their_cohort(void **state)
{
    struct world world;
    (void)state;
    begin_with_rare(&world, 0.1);
    world.copies = 4;
    world.null_country = 3;
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "cohort", "country=DE");
}

static void finds_old_events(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    world.age_us = 600 * INT64_C(1000000);
    struct explanation out = end(&world, NULL, 0);
    assert_first(&out, "freshness", "event time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nulls_upstream),
        cmocka_unit_test(finds_the_cohort_that_carries_the_excess),
        cmocka_unit_test(finds_a_cohort_of_few_events),
        cmocka_unit_test(a_change_is_held_against_what_came_since),
        cmocka_unit_test(finds_values_that_changed_upstream),
        cmocka_unit_test(blames_a_split_whose_canary_carries_the_excess),
        cmocka_unit_test(blames_a_split_whose_canary_scores_otherwise),
        cmocka_unit_test(a_canary_that_decides_as_the_champion_does_is_not_blamed_for_rules),
        cmocka_unit_test(blames_a_split_that_took_the_canary_back),
        cmocka_unit_test(blames_rules_whose_decisions_moved_and_not_the_split_beside_them),
        cmocka_unit_test(finds_more_traffic_and_less),
        cmocka_unit_test(blames_a_model_whose_scores_moved_while_the_events_did_not),
        cmocka_unit_test(does_not_blame_a_model_for_events_that_changed),
        cmocka_unit_test(blames_a_contract_that_refuses_what_it_took_before),
        cmocka_unit_test(the_same_without_a_change_is_upstream),
        cmocka_unit_test(blames_a_source_that_says_that_it_takes_nothing),
        cmocka_unit_test(tells_a_slow_store_from_a_slow_machine),
        cmocka_unit_test(tells_a_lock_from_a_slow_disk),
        cmocka_unit_test(finds_labels_that_turned),
        cmocka_unit_test(more_traffic_is_the_cause_of_slower_commits),
        cmocka_unit_test(commits_that_hold_nobody_up_are_no_incident),
        cmocka_unit_test(a_slow_disk_that_nobody_waits_for_comes_after_what_hurts),
        cmocka_unit_test(more_events_that_are_refused_are_a_matter_of_their_cohort),
        cmocka_unit_test(finds_old_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
