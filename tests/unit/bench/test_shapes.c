/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the generator takes for right, behind a proxy: all scenarios are, and what breaks one rule is not, neither in
 * the first message of its form nor once its shape is known. No byte of a known message can change unseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gen_report report;

static void
options_for(struct gen_options *options, const char *scenario, uint64_t calls)
{
	gen_options_default(options);
	assert_true(gen_scenario_read(scenario, options->weights));
	options->calls_total = calls;
	options->calls_max = 1024;
	options->rate = INFINITY;
	options->window = 8;
}

static void
all_scenarios_pass_a_proxy(void **state)
{
	static const char *const scenarios[] = {
		"bye", "cancel", "cancel-early", "race", "options", "register", "mixed"};

	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct gen_options options;
		struct target target;

		options_for(&options, scenarios[i], 500);
		target_begin(&target, &options);
		target_run(&target);
		gen_report(target.gen, &report);
		assert_int_equal(report.ok, 500);
		assert_int_equal(report.started, 500);
		for (unsigned f = 0; f < GEN_FAULT_COUNT; f++)
			assert_int_equal(report.wrong[f], 0);
		/* eleven messages, some with a branch of up to five lengths */
		assert_true(report.slow <= 60);
		assert_int_equal(report.slow, report.shapes);
		assert_int_equal(target.gen->calls.free_block_count, target.gen->calls.block_count);
		for (unsigned s = 0; s < SHAPES_MAX; s++)
			assert_int_equal(target.gen->shapes[s].users, 0);
		target_end(&target);
	}
}

/* In messages for that side that begin so: the first occurrence of a text becomes another. */
struct error {
	const char *name;
	enum side_id side;
	const char *message, *from, *to;
	enum gen_fault fault;
};

static const struct error errors[] = {
	{"To tag", CALLER, "SIP/2.0 200", ";tag=t", ";tag=u", GEN_FAULT_TO},
	{"To tag gone", CALLEE, "BYE ", ";tag=t", ";tug=t", GEN_FAULT_TO},
	{"From tag", CALLER, "SIP/2.0 180", ";tag=f", ";tag=e", GEN_FAULT_FROM},
	{"From tag to the callee", CALLEE, "INVITE ", ";tag=f", ";tag=e", GEN_FAULT_FROM},
	{"CSeq number", CALLER, "SIP/2.0 200", "CSeq: 1 I", "CSeq: 2 I", GEN_FAULT_CSEQ},
	{"CSeq number of BYE", CALLEE, "BYE ", "CSeq: 2", "CSeq: 3", GEN_FAULT_CSEQ},
	{"Via not popped", CALLER, "SIP/2.0 180", "Via: ", "Via: SIP/2.0/UDP 10.2.0.1;branch=z9hG4bKp.1\r\nVia: ",
		GEN_FAULT_VIA},
	{"no Via added", CALLEE, "INVITE ", "Via: SIP/2.0/UDP 10.2.0.1", "X-Was: SIP/2.0/UDP 10.2.0.1", GEN_FAULT_VIA},
	{"our Via changed", CALLER, "SIP/2.0 180", ";branch=z9hG4bKg", ";branch=z9hG4bKh", GEN_FAULT_VIA},
	{"our Via's port", CALLEE, "ACK ", "10.1.0.100:5060;b", "10.1.0.100:5061;b", GEN_FAULT_VIA},
	{"Max-Forwards", CALLEE, "INVITE ", "Max-Forwards: 69", "Max-Forwards: 70", GEN_FAULT_MAX_FORWARDS},
	{"Max-Forwards gone", CALLEE, "BYE ", "Max-Forwards: 69", "Mux-Forwards: 69", GEN_FAULT_MAX_FORWARDS},
	{"Request-URI of BYE", CALLEE, "BYE ", "10.2.0.100", "10.2.0.101", GEN_FAULT_URI},
	{"user of INVITE", CALLEE, "INVITE ", "sip:15551230001", "sip:15551230002", GEN_FAULT_URI},
	{"Route left", CALLEE, "ACK ", "Max-F", "Route: <sip:10.9.9.9;lr>\r\nMax-F", GEN_FAULT_ROUTE},
	{"strict Record-Route", CALLER, "SIP/2.0 200", ";lr>", ";xx>", GEN_FAULT_ROUTE},
	{"Contact", CALLER, "SIP/2.0 200", "@10.2.0.100:5060>", "@10.2.0.100:5061>", GEN_FAULT_CONTACT},
	{"caller's Contact", CALLEE, "INVITE ", "Contact: <", "Contoct: <", GEN_FAULT_CONTACT},
	{"Content-Length gone", CALLER, "SIP/2.0 180", "Content-Length: 0", "Content-Lungth: 0", GEN_FAULT_LENGTH},
	{"offer", CALLEE, "INVITE ", "PCMU/8000", "PCMU/8001", GEN_FAULT_BODY},
	{"answer", CALLER, "SIP/2.0 200", "s=answer", "s=answar", GEN_FAULT_BODY},
	{"reason", CALLER, "SIP/2.0 180", "Ringing", "Rinsing", GEN_FAULT_STATUS},
	{"status", CALLER, "SIP/2.0 200", "SIP/2.0 200", "SIP/2.0 202", GEN_FAULT_STATUS},
	{"Call-ID of this run", CALLER, "SIP/2.0 180", "Call-ID: ", "Call-ID: x", GEN_FAULT_CALL_ID},
	{"version", CALLER, "SIP/2.0 180", "SIP/2.0 180", "SIP/3.0 180", GEN_FAULT_PARSE},
};

static void
apply(struct target *target, enum side_id side, char *message)
{
	const struct error *error = target->argument;
	char *at = strstr(message, error->from);

	if (side != error->side || strncmp(message, error->message, strlen(error->message)) != 0 || at == NULL)
		return;
	memmove(at + strlen(error->to), at + strlen(error->from), strlen(at + strlen(error->from)) + 1);
	memcpy(at, error->to, strlen(error->to));
}

static void
every_rule_is_kept(void **state)
{
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (unsigned warm = 0; warm <= 200; warm += 200) {
			struct gen_options options;
			struct target target;
			uint64_t others = 0, lost = 0;

			options_for(&options, "bye", warm);
			target_begin(&target, &options);
			target.argument = &errors[i];
			if (warm > 0) { /* first so many good calls, so that shapes are known */
				target.gen->options.calls_total = warm;
				target_run(&target);
				gen_report(target.gen, &report);
				assert_int_equal(report.ok, warm);
			}
			gen_report_reset(target.gen);
			target.mangle = apply;
			target.gen->options.calls_total = warm + 20;
			target_run(&target);
			gen_report(target.gen, &report);
			for (unsigned f = 0; f < GEN_FAULT_COUNT; f++)
				others += f == errors[i].fault ? 0 : report.wrong[f];
			/* whose it is cannot be told: then it is as good as lost */
			if (errors[i].fault == GEN_FAULT_CALL_ID || errors[i].fault == GEN_FAULT_PARSE)
				lost = 20;
			if (report.ok != lost || report.wrong[errors[i].fault] == 0 || others != 0)
				fail_msg("%s: %lu calls ok, %lu seen, %lu others", errors[i].name, report.ok,
					report.wrong[errors[i].fault], others);
			assert_int_equal(gen_report_failed(&report), 20 - lost);
			target_end(&target);
		}
	}
}

static bool
is_opaque(const struct shape *shape, uint32_t at)
{
	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->kind == FIELD_OPAQUE && at >= field->at && at < (uint32_t)field->at + field->size)
			return true;
	}
	return false;
}

/* Changes every byte of a frame whose shape is known, one bit at a time. By shape a message may only pass when the
 * byte is the target's own. (A tag of the callee's that is changed in a response that the target may give, too, makes a
 * shape with a tag of the target's.) */
static void
change_bytes(struct target *target, enum side_id side, const struct rte_mbuf *mbuf)
{
	struct gen *gen = target->gen;
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	unsigned *seen = (unsigned *)(uintptr_t)target->argument, kind;
	uint64_t slow = gen->report.slow;
	struct message message;
	enum gen_fault fault;
	struct frame_in in;

	assert_int_equal(frame_read(gen, &gen->sides[side], mbuf, &in), FRAME_MESSAGE);
	if (message_check(gen, side, &in, &message, &fault) != MESSAGE_GOOD || gen->report.slow != slow)
		return;
	kind = message.shape->kind;
	if (seen[kind]++ > 0)
		return;
	for (uint32_t i = 0; i < in.size * 8; i++) {
		uint8_t *byte = &frame[42 + i / 8], bit = (uint8_t)(1u << i % 8);

		slow = gen->report.slow;
		*byte ^= bit;
		if (message_check(gen, side, &in, &message, &fault) == MESSAGE_GOOD && gen->report.slow == slow &&
			!is_opaque(message.shape, i / 8))
			fail_msg("%s: bit %u of byte %u", gen_kind_name((enum gen_kind)kind), i % 8, i / 8);
		*byte ^= bit;
	}
}

static void
no_byte_changes_unseen(void **state)
{
	struct gen_options options;
	struct target target;
	unsigned seen[GEN_KIND_COUNT] = {0};

	options_for(&options, "bye=4,cancel=3,options=1,register=1", 400);
	target_begin(&target, &options);
	target_run(&target);
	target.look = change_bytes;
	target.argument = seen;
	target.gen->options.calls_total = 600;
	target_run(&target);
	for (unsigned kind = 0; kind < GEN_KIND_COUNT; kind++)
		assert_true(seen[kind] > 0);
	target_end(&target);
}

/* A header line that is never the same twice. */
static void
add_noise(struct target *target, enum side_id side, char *message)
{
	static unsigned count;
	char line[256], *at = strstr(message, "\r\n") + 2;
	int size = snprintf(line, sizeof(line), "X-Noise: %u%.*s\r\n", count, (int)(count % 150),
		(const char *)target->argument);

	count++;
	memmove(at + size, at, strlen(at) + 1);
	memcpy(at, line, (size_t)size);
}

static void
ever_new_forms_are_parsed_and_forgotten(void **state)
{
	char noise[151];
	struct gen_options options;
	struct target target;

	memset(noise, 'n', 150);
	noise[150] = '\0';
	options_for(&options, "mixed", 1000);
	options.window = 100;
	target_begin(&target, &options);
	target.mangle = add_noise;
	target.argument = noise;
	target_run(&target);
	gen_report(target.gen, &report);
	assert_int_equal(report.ok, 1000);
	assert_true(report.slow > 2000);
	assert_int_equal(report.shapes, SHAPES_MAX);
	target_end(&target);
}

static void
targets_options_request_is_answered(void **state)
{
	static const char ping[] = "OPTIONS sip:10.2.0.100 SIP/2.0\r\nVia: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKping\r\n"
				   "Max-Forwards: 70\r\nFrom: <sip:p@10.2.0.1>;tag=1\r\nTo: <sip:10.2.0.100>\r\n"
				   "Call-ID: ping-1\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	static const char pong[] = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKping\r\n"
				   "From: <sip:p@10.2.0.1>;tag=1\r\nCall-ID: ping-1\r\nCSeq: 7 OPTIONS\r\n";
	struct gen_options options;
	struct target target;
	struct frame_in in;
	void *mbuf = NULL;

	options_for(&options, "bye", 1);
	target_begin(&target, &options);
	target_run(&target);
	target_send(&target, CALLEE, ping);
	gen_turn(target.gen, target.now);
	assert_int_equal(rte_ring_dequeue(target.from_callee, &mbuf), 0);
	assert_true(((struct rte_mbuf *)mbuf)->data_len > HEADERS_SIZE + sizeof(pong));
	assert_memory_equal(rte_pktmbuf_mtod_offset((struct rte_mbuf *)mbuf, char *, HEADERS_SIZE), pong, sizeof(pong) - 1);
	assert_int_equal(frame_read(target.gen, &target.gen->sides[CALLEE], mbuf, &in), FRAME_OTHER); /* not for us */
	rte_pktmbuf_free(mbuf);
	gen_report(target.gen, &report);
	assert_int_equal(report.pings, 1);
	target_end(&target);
}

static int
begin(void **state)
{
	target_eal();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_scenarios_pass_a_proxy),
		cmocka_unit_test(every_rule_is_kept),
		cmocka_unit_test(no_byte_changes_unseen),
		cmocka_unit_test(ever_new_forms_are_parsed_and_forgotten),
		cmocka_unit_test(targets_options_request_is_answered),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
