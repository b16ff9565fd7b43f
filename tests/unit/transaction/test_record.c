/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The words of a record: identity, insert-if-absent, the CANCEL that meets a 200, and the end
 * that exactly one caller sees.
 */
#include "pools.h"

#include "sip/message.h"

#include <stdio.h>

static struct bp_digest_key key;

static void
parse(struct bp_sip_message *m, const char *method, const char *branch, const char *sent_by)
{
	static const struct bp_sip_limits limits = {.headers = 100, .vias = 50, .uri = 1000};
	static char text[8][1024];
	static unsigned next;
	char *at = text[next++ & 7];
	int size = snprintf(at, 1024,
		"%s sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s%s%s\r\nFrom: <sip:a@example.com>;tag=1\r\n"
		"To: <sip:b@example.com>\r\nCall-ID: x\r\nCSeq: 7 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, sent_by, branch[0] ? ";branch=" : "", branch, method);

	assert_int_equal(bp_sip_parse(m, (uint8_t *)at, (uint32_t)size, &limits), BP_SIP_FAULT_NONE);
}

static void
identity(uint64_t id[2], const char *method, const char *branch, const char *sent_by)
{
	static struct bp_sip_message m;

	parse(&m, method, branch, sent_by);
	bp_digest_key_make(&key, &(struct bp_hash_key){3, 4}, 0);
	bp_record_identity(&key, &m, id);
}

/* 17.2.3: branch and sent-by make it, host without case, port 5060 by default; the method does not. */
static void
test_identity(void **state)
{
	uint64_t a[2], b[2];

	identity(a, "INVITE", "z9hG4bK1", "Host.example");
	identity(b, "CANCEL", "z9hG4bK1", "hOST.example:5060");
	assert_memory_equal(a, b, 16);
	identity(b, "INVITE", "z9hG4bK2", "host.example");
	assert_memory_not_equal(a, b, 16);
	identity(b, "INVITE", "z9hG4bK1", "host.example:5061");
	assert_memory_not_equal(a, b, 16);
	/* RFC 2543: by the rest of the request */
	identity(a, "INVITE", "", "host.example");
	identity(b, "ACK", "", "host.example");
	assert_memory_equal(a, b, 16);
	identity(b, "ACK", "", "host.example:5060");
	assert_memory_not_equal(a, b, 16);
}

static void
begin(struct bp_record *record, enum bp_method method, uint64_t id)
{
	bool invite = method == BP_METHOD_INVITE;
	uint64_t base = UINT64_C(5) << BP_WORD_GENERATION_SHIFT;

	memset(record, 0, sizeof(*record));
	record->node.id[0] = id;
	record->method = (uint8_t)method;
	record->branch_count = 1;
	atomic_store(&record->branch, BP_WORD_SET(base, STATE, invite ? BP_ICT_CALLING : 0));
	atomic_store(&record->server, BP_WORD_SET(BP_WORD_SET(base, STATE, 0), PENDING, 1));
}

static void
test_table_finds_by_method_rule_and_keeps_the_first(void **state)
{
	static struct bp_record records[3];
	struct bp_record *invite = &records[0], *again = &records[1], *options = &records[2];
	const struct bp_table_options table_options = {.entries = 16,
		.slots = records,
		.slot_size = sizeof(records[0]),
		.node_offset = offsetof(struct bp_record, node)};
	struct bp_table *table;

	assert_int_equal(bp_table_create(&table, &table_options), 0);
	begin(invite, BP_METHOD_INVITE, 1);
	begin(again, BP_METHOD_INVITE, 1);
	begin(options, BP_METHOD_OPTIONS, 2);
	assert_ptr_equal(bp_record_add(table, invite), invite);
	assert_ptr_equal(bp_record_add(table, again), invite);
	assert_ptr_equal(bp_record_add(table, options), options);
	assert_ptr_equal(bp_record_find(table, invite->node.id, BP_METHOD_INVITE), invite);
	assert_ptr_equal(bp_record_find(table, invite->node.id, BP_METHOD_ACK), invite);
	assert_ptr_equal(bp_record_find(table, invite->node.id, BP_METHOD_CANCEL), invite);
	assert_null(bp_record_find(table, invite->node.id, BP_METHOD_BYE));
	assert_null(bp_record_find(table, options->node.id, BP_METHOD_ACK));
	assert_ptr_equal(bp_record_find(table, options->node.id, BP_METHOD_CANCEL), options);
	assert_true(bp_table_remove(table, &invite->node));
	assert_false(bp_table_remove(table, &invite->node));
	assert_null(bp_record_find(table, invite->node.id, BP_METHOD_INVITE));
	bp_table_free(table);
}

/* CANCEL first: it is asked, and the 2xx still goes up. 2xx first: the CANCEL changes nothing. */
static void
test_cancel_and_2xx_have_one_winner(void **state)
{
	static struct bp_record record;
	struct bp_swap swap;

	begin(&record, BP_METHOD_INVITE, 1);
	swap = bp_server_cancel(&record, 5);
	assert_int_equal(swap.action, BP_DO_SEND);
	assert_true(swap.after & BP_WORD_CANCEL_ASKED);
	assert_int_equal(bp_server_event(&record, 5, BP_IST_ON_TU_2XX, BP_WORD_2XX_SEEN, 200).action, BP_DO_SEND);
	assert_int_equal(bp_server_cancel(&record, 5).action, BP_DO_REPEAT_RESPONSE);

	begin(&record, BP_METHOD_INVITE, 1);
	bp_server_event(&record, 5, BP_IST_ON_TU_2XX, BP_WORD_2XX_SEEN, 200);
	swap = bp_server_cancel(&record, 5);
	assert_int_equal(swap.action, BP_DO_SEND);
	assert_false(swap.after & BP_WORD_CANCEL_ASKED);
}

/* 9.1: no CANCEL before a 1xx, none after a final response, and never two. */
static void
test_branch_cancel_waits_and_goes_once(void **state)
{
	static struct bp_record record;

	begin(&record, BP_METHOD_INVITE, 1);
	assert_false(bp_branch_cancel(&record, 5, 0));
	bp_branch_event(&record, 5, 0, BP_ICT_ON_1XX, BP_WORD_1XX_SEEN, 0);
	assert_false(bp_branch_cancel(&record, 4, 0));
	assert_true(bp_branch_cancel(&record, 5, 0));
	assert_false(bp_branch_cancel(&record, 5, 0));
	assert_int_equal(bp_branch_cancel_event(&record, 5, 0, BP_NICT_ON_TIMER_E).action, BP_DO_REPEAT_REQUEST);
	assert_int_equal(bp_branch_cancel_event(&record, 5, 0, BP_NICT_ON_FINAL).action, BP_DO_PASS);
	assert_int_equal(bp_branch_cancel_event(&record, 5, 0, BP_NICT_ON_TIMER_E).action, BP_DO_IGNORE);

	begin(&record, BP_METHOD_INVITE, 1);
	bp_branch_event(&record, 5, 0, BP_ICT_ON_2XX, 0, 200);
	assert_false(bp_branch_cancel(&record, 5, 0));
}

static void
test_ends_once_and_only_when_all_is_over(void **state)
{
	static struct bp_record record;

	begin(&record, BP_METHOD_OPTIONS, 1);
	assert_false(bp_record_end(&record, 5));
	bp_branch_event(&record, 5, 0, BP_NICT_ON_FINAL, 0, 200);
	assert_int_equal(bp_server_branch_done(&record, 5, 200).action, BP_DO_SEND);
	bp_server_cancel(&record, 5);
	bp_branch_event(&record, 5, 0, BP_NICT_ON_TIMER_K, 0, 0);
	assert_false(bp_record_end(&record, 5));
	bp_server_event(&record, 5, BP_NIST_ON_TIMER_J, 0, 0);
	assert_false(bp_record_end(&record, 5)); /* the CANCEL's own timer J still runs */
	bp_server_cancel_event(&record, 5, BP_NIST_ON_TIMER_J);
	assert_true(bp_record_end(&record, 5));
	assert_false(bp_record_end(&record, 5));
	/* stale from now on */
	assert_int_equal(bp_server_event(&record, 5, BP_NIST_ON_REQUEST, 0, 0).action, BP_DO_DROP);
	assert_int_equal(bp_branch_event(&record, 5, 0, BP_NICT_ON_FINAL, 0, 200).action, BP_DO_DROP);
	assert_int_equal(bp_word_generation(atomic_load(&record.server)), 6);
}

/* Serial failover: a branch joins while the final response is owed, and never after a CANCEL or a stop. */
static void
test_branches_join_and_settle(void **state)
{
	static struct bp_record record;

	begin(&record, BP_METHOD_INVITE, 1);
	assert_true(bp_server_branch_add(&record, 5));
	assert_int_equal(bp_server_branch_done(&record, 5, 503).action, BP_DO_ABSORB);
	assert_true(bp_branch_abandon(&record, 5, 0));
	assert_false(bp_branch_abandon(&record, 5, 0));
	assert_int_equal(bp_server_branch_done(&record, 5, 486).action, BP_DO_SEND);
	assert_false(bp_server_branch_add(&record, 5));

	begin(&record, BP_METHOD_INVITE, 1);
	bp_server_cancel(&record, 5);
	assert_false(bp_server_branch_add(&record, 5));

	begin(&record, BP_METHOD_INVITE, 1);
	bp_server_stop(&record, 5);
	assert_false(bp_server_branch_add(&record, 5));
	bp_branch_event(&record, 5, 0, BP_ICT_ON_1XX, BP_WORD_1XX_SEEN, 0);
	assert_false(bp_branch_abandon(&record, 5, 0));
}

static void
test_final_response_is_not_replaced_by_a_late_provisional(void **state)
{
	static struct bp_record record;
	struct bp_kept ringing = {.status = 180}, progress = {.status = 183}, busy = {.status = 486};

	begin(&record, BP_METHOD_INVITE, 1);
	assert_null(bp_record_keep_response(&record, &ringing));
	assert_ptr_equal(bp_record_keep_response(&record, &busy), &ringing);
	assert_ptr_equal(bp_record_keep_response(&record, &progress), &progress);
	assert_ptr_equal(atomic_load(&record.response), &busy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_table_finds_by_method_rule_and_keeps_the_first),
		cmocka_unit_test(test_cancel_and_2xx_have_one_winner),
		cmocka_unit_test(test_branch_cancel_waits_and_goes_once),
		cmocka_unit_test(test_ends_once_and_only_when_all_is_over),
		cmocka_unit_test(test_branches_join_and_settle),
		cmocka_unit_test(test_final_response_is_not_replaced_by_a_late_provisional),
	};
	int failed;

	rcu_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rcu_unregister_thread();
	return failed;
}
