/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the RFCs say the four machines do, written down a second time from their text, sentence by sentence, and
 * compared with the tables: each sentence must be in its table, and no table may do anything that no
 * sentence asks for.
 */
#include "transaction/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct sentence {
	const struct bp_machine *machine;
	uint8_t state, event, next, action;
	const char *where, *words;
};

#define ROW(id, machine, state, event, next, action, where, words) \
	{&bp_##id##_machine, BP_##machine##_##state, BP_##machine##_ON_##event, BP_##machine##_##next, BP_DO_##action, \
		where, words},
#define ICT(...) ROW(ict, ICT, __VA_ARGS__)
#define IST(...) ROW(ist, IST, __VA_ARGS__)
#define NICT(...) ROW(nict, NICT, __VA_ARGS__)
#define NIST(...) ROW(nist, NIST, __VA_ARGS__)

/* clang-format off */
static const struct sentence sentences[] = {
	/* INVITE client */
	ICT(CALLING, TIMER_A, CALLING, REPEAT_REQUEST, "3261 17.1.1.2",
		"when timer A fires, the client transaction MUST retransmit the request")
	ICT(CALLING, TIMER_B, TERMINATED, TIMEOUT, "3261 17.1.1.2",
		"still in Calling when timer B fires: inform the TU that a timeout has occurred")
	ICT(CALLING, FLOW_FAILED, TERMINATED, FAILED, "3261 17.1.4",
		"inform the TU that a transport failure has occurred, transition directly to Terminated")
	ICT(CALLING, 1XX, PROCEEDING, PASS, "3261 17.1.1.2",
		"a provisional response in Calling: to Proceeding; it MUST be passed to the TU")
	ICT(CALLING, 2XX, ACCEPTED, PASS, "6026 8.4",
		"a 2xx in Calling or Proceeding MUST transition to Accepted; it MUST be passed up; no ACK")
	ICT(CALLING, 3XX_6XX, COMPLETED, PASS_ACK, "6026 8.4",
		"300-699 in Calling or Proceeding: to Completed, passed up, and an ACK MUST be generated")
	ICT(CALLING, TIMER_C, TERMINATED, TIMEOUT, "3261 16.8",
		"timer C without a provisional response: behave as if a 408 had been received")
	ICT(PROCEEDING, 1XX, PROCEEDING, PASS, "3261 17.1.1.2",
		"further provisional responses MUST be passed up while in Proceeding")
	ICT(PROCEEDING, 2XX, ACCEPTED, PASS, "6026 8.4", "as in Calling")
	ICT(PROCEEDING, 3XX_6XX, COMPLETED, PASS_ACK, "6026 8.4", "as in Calling")
	ICT(PROCEEDING, TIMER_A, PROCEEDING, IGNORE, "3261 17.1.1.2",
		"in Proceeding, the client transaction SHOULD NOT retransmit the request any longer")
	ICT(PROCEEDING, TIMER_B, PROCEEDING, IGNORE, "3261 17.1.1.2", "timer B counts in Calling only")
	ICT(PROCEEDING, TIMER_C, PROCEEDING, ASK_CANCEL, "3261 16.8",
		"timer C after a provisional response: the proxy MUST generate a CANCEL")
	ICT(PROCEEDING, CANCEL_TIMEOUT, TERMINATED, TIMEOUT, "3261 9.1",
		"no final response 64*T1 after the CANCEL: consider it cancelled, destroy the client transaction")
	ICT(COMPLETED, 3XX_6XX, COMPLETED, REPEAT_ACK, "6026 8.4",
		"a 300-699 again MUST cause the ACK to be sent again and MUST NOT be passed up")
	ICT(COMPLETED, TIMER_D, TERMINATED, END, "6026 8.4", "if timer D fires in Completed: to Terminated")
	ICT(ACCEPTED, 2XX, ACCEPTED, PASS, "6026 8.4", "any 2xx in Accepted MUST be passed up; no ACK")
	ICT(ACCEPTED, TIMER_M, TERMINATED, END, "6026 8.4", "if timer M fires in Accepted: to Terminated")

	/* INVITE server */
	IST(PROCEEDING, INVITE, PROCEEDING, REPEAT_RESPONSE, "3261 17.2.1",
		"the INVITE again in Proceeding: the most recent provisional response MUST be sent again")
	IST(PROCEEDING, TU_1XX, PROCEEDING, SEND, "3261 17.2.1",
		"so long as it is in Proceeding, each provisional response of the TU MUST be sent")
	IST(PROCEEDING, TU_2XX, ACCEPTED, SEND, "6026 8.5",
		"a 2xx of the TU in Proceeding MUST be sent; then to Accepted")
	IST(PROCEEDING, TU_3XX_6XX, COMPLETED, SEND, "3261 17.2.1",
		"300 to 699 of the TU in Proceeding MUST be sent; to Completed")
	IST(COMPLETED, INVITE, COMPLETED, REPEAT_RESPONSE, "3261 17.2.1",
		"the INVITE again in Completed: the server SHOULD send the response again")
	IST(COMPLETED, ACK, CONFIRMED, ABSORB, "3261 17.2.1", "an ACK in Completed MUST transition to Confirmed")
	IST(COMPLETED, TIMER_G, COMPLETED, REPEAT_RESPONSE, "3261 17.2.1",
		"if timer G fires, the response is sent once more")
	IST(COMPLETED, TIMER_H, TERMINATED, END, "3261 17.2.1",
		"timer H in Completed: the ACK was never received; to Terminated")
	IST(CONFIRMED, ACK, CONFIRMED, ABSORB, "3261 17.2.1", "Confirmed is there to absorb any additional ACK")
	IST(CONFIRMED, INVITE, CONFIRMED, ABSORB, "3261 17.2.1",
		"nothing is sent in Confirmed: who sent the ACK has the response")
	IST(CONFIRMED, TIMER_G, CONFIRMED, IGNORE, "3261 17.2.1", "timer G is ignored in this state")
	IST(CONFIRMED, TIMER_I, TERMINATED, END, "3261 17.2.1", "once timer I fires: to Terminated")
	IST(ACCEPTED, INVITE, ACCEPTED, ABSORB, "6026 8.7",
		"the INVITE again is absorbed entirely within the server transaction")
	IST(ACCEPTED, ACK, ACCEPTED, PASS_REQUEST, "6026 8.7", "an ACK in Accepted must be passed up to the TU")
	IST(ACCEPTED, TU_2XX, ACCEPTED, SEND, "6026 8.7", "a 2xx of the TU in Accepted MUST be sent")
	IST(ACCEPTED, TIMER_L, TERMINATED, END, "6026 8.7", "if timer L fires in Accepted: to Terminated")

	/* Non-INVITE client */
	NICT(TRYING, TIMER_E, TRYING, REPEAT_REQUEST, "3261 17.1.2.2",
		"timer E in Trying: sent again, interval doubled")
	NICT(TRYING, TIMER_F, TERMINATED, TIMEOUT, "3261 17.1.2.2",
		"timer F in Trying: inform the TU about the timeout, to Terminated")
	NICT(TRYING, FLOW_FAILED, TERMINATED, FAILED, "3261 17.1.4", "as the INVITE client transaction in Calling")
	NICT(TRYING, 1XX, PROCEEDING, PASS, "3261 17.1.2.2",
		"a provisional response in Trying: passed up, to Proceeding")
	NICT(TRYING, FINAL, COMPLETED, PASS, "3261 17.1.2.2",
		"a final response in Trying: passed up, to Completed")
	NICT(PROCEEDING, TIMER_E, PROCEEDING, REPEAT_REQUEST, "3261 17.1.2.2",
		"timer E in Proceeding: the request MUST be sent again")
	NICT(PROCEEDING, TIMER_F, TERMINATED, TIMEOUT, "3261 17.1.2.2",
		"timer F in Proceeding: the TU MUST be informed of a timeout, to Terminated")
	NICT(PROCEEDING, 1XX, PROCEEDING, PASS, "3261 figure 6", "1xx in Proceeding: to the TU")
	NICT(PROCEEDING, FINAL, COMPLETED, PASS, "3261 17.1.2.2",
		"a final response in Proceeding: passed up, to Completed")
	NICT(PROCEEDING, FLOW_FAILED, TERMINATED, FAILED, "3261 17.1.4, figure 6",
		"a request that is sent again in Proceeding may fail, too: inform the TU, to Terminated")
	NICT(COMPLETED, FINAL, COMPLETED, ABSORB, "3261 17.1.2.2",
		"Completed exists to buffer any additional response retransmissions")
	NICT(COMPLETED, TIMER_K, TERMINATED, END, "3261 17.1.2.2", "if timer K fires in this state: to Terminated")

	/* Non-INVITE server */
	NIST(TRYING, REQUEST, TRYING, ABSORB, "3261 17.2.2", "in Trying, any request retransmissions are discarded")
	NIST(TRYING, TU_1XX, PROCEEDING, SEND, "3261 17.2.2",
		"a provisional response of the TU in Trying: to Proceeding; it MUST be sent")
	NIST(TRYING, TU_FINAL, COMPLETED, SEND, "3261 figure 8", "200-699 of the TU in Trying: sent, to Completed")
	NIST(TRYING, TU_NOTHING, TERMINATED, END, "4320 4.2",
		"who cannot respond before the transaction expires sends no final response at all")
	NIST(PROCEEDING, REQUEST, PROCEEDING, REPEAT_RESPONSE, "3261 17.2.2",
		"the request again in Proceeding: the most recent provisional response MUST be sent again")
	NIST(PROCEEDING, TU_1XX, PROCEEDING, SEND, "3261 17.2.2",
		"further provisional responses of the TU in Proceeding MUST be sent")
	NIST(PROCEEDING, TU_FINAL, COMPLETED, SEND, "3261 17.2.2",
		"a final response of the TU in Proceeding: to Completed; it MUST be sent")
	NIST(PROCEEDING, TU_NOTHING, TERMINATED, END, "4320 4.2", "as in Trying")
	NIST(COMPLETED, REQUEST, COMPLETED, REPEAT_RESPONSE, "3261 17.2.2",
		"in Completed, the final response MUST be sent again whenever the request comes again")
	NIST(COMPLETED, TU_FINAL, COMPLETED, DROP, "3261 17.2.2",
		"any other final responses of the TU MUST be discarded while in Completed")
	NIST(COMPLETED, TIMER_J, TERMINATED, END, "3261 17.2.2", "until timer J fires: to Terminated")
};

/* Where the tables do less than a SHOULD asks for; docs/conformance.md has them among the deliberate deviations. The
 * next state and the action are those of the table. */
static const struct sentence deviations[] = {
	ICT(COMPLETED, FLOW_FAILED, COMPLETED, IGNORE, "3261 17.1.4, 6026 figure 5",
		"a transport error for the ACK SHOULD end the transaction")
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct bp_machine *const machines[] = {
	&bp_ict_machine, &bp_ist_machine, &bp_nict_machine, &bp_nist_machine};

static void
compare(const struct sentence *it)
{
	const struct bp_step *step = &it->machine->steps[it->state * it->machine->event_count + it->event];

	if (step->next != it->next || step->action != it->action)
		fail_msg("%s, %s in %s: the table goes to %s and does \"%s\"; RFC %s: \"%s\"", it->machine->name,
			it->machine->events[it->event], it->machine->states[it->state], it->machine->states[step->next],
			bp_action_text((enum bp_action)step->action), it->where, it->words);
}

static void
test_each_sentence_is_in_its_table(void **state)
{
	for (unsigned i = 0; i < COUNT(sentences); i++)
		compare(&sentences[i]);
}

static void
test_deviations_are_those_we_know(void **state)
{
	for (unsigned i = 0; i < COUNT(deviations); i++)
		compare(&deviations[i]);
}

static bool
is_said(const struct bp_machine *machine, unsigned state, unsigned event)
{
	for (unsigned i = 0; i < COUNT(sentences); i++)
		if (sentences[i].machine == machine && sentences[i].state == state && sentences[i].event == event)
			return true;
	return false;
}

/* A message or response that a state does not expect is dropped, anything else ignored. */
static enum bp_action
unsaid(const char *event)
{
	static const char *const quiet[] = {"TIMER_", "CANCEL_TIMEOUT", "FLOW_FAILED", "TU_NOTHING"};

	for (unsigned i = 0; i < COUNT(quiet); i++)
		if (strncmp(event, quiet[i], strlen(quiet[i])) == 0)
			return BP_DO_IGNORE;
	return BP_DO_DROP;
}

static void
test_what_no_sentence_asks_for_does_nothing(void **state)
{
	for (unsigned i = 0; i < COUNT(machines); i++) {
		const struct bp_machine *machine = machines[i];

		for (unsigned s = 0; s < machine->state_count; s++)
			for (unsigned e = 0; e < machine->event_count; e++) {
				const struct bp_step *step = &machine->steps[s * machine->event_count + e];

				if (is_said(machine, s, e))
					continue;
				if (step->next != s || step->action != unsaid(machine->events[e]))
					fail_msg("%s, %s in %s: no sentence asks for \"%s\"", machine->name,
						machine->events[e], machine->states[s],
						bp_action_text((enum bp_action)step->action));
			}
	}
}

/* A pair that is said twice could say two things. */
static void
test_each_pair_is_said_once(void **state)
{
	for (unsigned i = 0; i < COUNT(sentences); i++)
		for (unsigned j = i + 1; j < COUNT(sentences); j++)
			assert_false(sentences[i].machine == sentences[j].machine &&
				sentences[i].state == sentences[j].state && sentences[i].event == sentences[j].event);
}

/* Figures 5 to 8: where a new transaction begins. */
static void
test_first_states(void **state)
{
	static const char *const first[] = {"CALLING", "PROCEEDING", "TRYING", "TRYING"};

	for (unsigned i = 0; i < COUNT(machines); i++)
		assert_string_equal(machines[i]->states[0], first[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_sentence_is_in_its_table),
		cmocka_unit_test(test_deviations_are_those_we_know),
		cmocka_unit_test(test_what_no_sentence_asks_for_does_nothing),
		cmocka_unit_test(test_each_pair_is_said_once),
		cmocka_unit_test(test_first_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
