/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tables as graphs: what the RFC's figures say about them, checked for every pair.
 */
#include "transaction/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const struct bp_machine *const machines[] = {
	&bp_ict_machine, &bp_ist_machine, &bp_nict_machine, &bp_nist_machine};

static const struct bp_step *
step(const struct bp_machine *machine, unsigned state, unsigned event)
{
	return &machine->steps[state * machine->event_count + event];
}

static void
test_states_and_actions_exist(void **state)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned s = 0; s < machines[i]->state_count; s++)
			for (unsigned e = 0; e < machines[i]->event_count; e++) {
				assert_in_range(step(machines[i], s, e)->next, 0, machines[i]->state_count - 1);
				assert_in_range(step(machines[i], s, e)->action, 0, BP_ACTION_COUNT - 1);
			}
}

/* A forgotten cell of a designated table is {0, IGNORE}: state 0 reached from elsewhere gives it away. */
static void
test_no_way_back_to_the_first_state(void **state)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned s = 1; s < machines[i]->state_count; s++)
			for (unsigned e = 0; e < machines[i]->event_count; e++)
				assert_int_not_equal(step(machines[i], s, e)->next, 0);
}

static void
test_what_does_nothing_stays(void **state)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned s = 0; s < machines[i]->state_count; s++)
			for (unsigned e = 0; e < machines[i]->event_count; e++) {
				const struct bp_step *it = step(machines[i], s, e);

				if (it->action == BP_DO_IGNORE || it->action == BP_DO_DROP ||
					it->action == BP_DO_REPEAT_REQUEST || it->action == BP_DO_REPEAT_RESPONSE)
					assert_int_equal(it->next, s);
			}
}

static void
test_terminated_is_reached_and_final(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		const struct bp_machine *machine = machines[i];
		unsigned last = machine->state_count - 1u;

		assert_string_equal(machine->states[last], "TERMINATED");
		for (unsigned e = 0; e < machine->event_count; e++)
			assert_int_equal(step(machine, last, e)->next, last);
		for (unsigned s = 0; s < last; s++) {
			bool reached[8] = {[0] = false};

			reached[s] = true;
			for (unsigned round = 0; round < machine->state_count; round++)
				for (unsigned from = 0; from < machine->state_count; from++)
					for (unsigned e = 0; reached[from] && e < machine->event_count; e++)
						reached[step(machine, from, e)->next] = true;
			assert_true(reached[last]);
		}
	}
}

/* What goes wrong most often, by section. */
static void
test_sentences_of_the_rfcs(void **state)
{
	/* RFC 6026 7.1: an INVITE in Accepted is absorbed in silence. */
	assert_int_equal(bp_ist_table[BP_IST_ACCEPTED][BP_IST_ON_INVITE].action, BP_DO_ABSORB);
	/* RFC 6026 7.2: each 2xx in Accepted goes to the transaction user. */
	assert_int_equal(bp_ict_table[BP_ICT_ACCEPTED][BP_ICT_ON_2XX].action, BP_DO_PASS);
	/* RFC 3261 17.1.1.2: a repeated final response is ACKed again and not passed up. */
	assert_int_equal(bp_ict_table[BP_ICT_COMPLETED][BP_ICT_ON_3XX_6XX].action, BP_DO_REPEAT_ACK);
	/* 17.1.1.2: timer A runs in Calling only; 17.1.2.2: timer E in Trying and Proceeding. */
	assert_int_equal(bp_ict_table[BP_ICT_PROCEEDING][BP_ICT_ON_TIMER_A].action, BP_DO_IGNORE);
	assert_int_equal(bp_nict_table[BP_NICT_PROCEEDING][BP_NICT_ON_TIMER_E].action, BP_DO_REPEAT_REQUEST);
	/* 17.2.2: a request repeated in Trying is discarded. */
	assert_int_equal(bp_nist_table[BP_NIST_TRYING][BP_NIST_ON_REQUEST].action, BP_DO_ABSORB);
	/* 16.8: timer C asks for a CANCEL after a 1xx, and is a time-out before. */
	assert_int_equal(bp_ict_table[BP_ICT_PROCEEDING][BP_ICT_ON_TIMER_C].action, BP_DO_ASK_CANCEL);
	assert_int_equal(bp_ict_table[BP_ICT_CALLING][BP_ICT_ON_TIMER_C].action, BP_DO_TIMEOUT);
	/* 17.2.1: the ACK moves Completed to Confirmed and goes no further. */
	assert_int_equal(bp_ist_table[BP_IST_COMPLETED][BP_IST_ON_ACK].next, BP_IST_CONFIRMED);
	assert_int_equal(bp_ist_table[BP_IST_COMPLETED][BP_IST_ON_ACK].action, BP_DO_ABSORB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_and_actions_exist),
		cmocka_unit_test(test_no_way_back_to_the_first_state),
		cmocka_unit_test(test_what_does_nothing_stays),
		cmocka_unit_test(test_terminated_is_reached_and_final),
		cmocka_unit_test(test_sentences_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
