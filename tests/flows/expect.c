/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages into the world, messages out of it, and checks that print the ladder. See world.h.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t drop_scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
	BP_DROPS(X)
#undef X
};

static const char *const drop_names[BP_DROP_COUNT + 1] = {
#define X(name, scope, severity, text) #name,
	BP_DROPS(X)
#undef X
		"-",
};

static const char *const fate_names[] = {"nothing", "forwarded", "answered", "absorbed", "dropped", "parked"};

_Noreturn void
world_fail(struct world *w, const char *file, int line, const char *format, ...)
{
	va_list arguments;
	char text[2048];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	w->failed = true;
	fprintf(stderr, "%s:%d: %s %s\n", file, line, text, w->note);
	ladder_print(w);
	_fail(file, line);
	abort();
}

/* What the counters say became of one message; the law holds for each message by itself. */
static void
note_fate(struct world *w, const struct bp_counters *before, unsigned sent)
{
	const struct bp_counters *after = world_sum(w);
	unsigned fates = 0;

	w->drop = BP_DROP_COUNT;
	w->fate = FATE_NONE;
	if (after->forwarded != before->forwarded) {
		w->fate = FATE_FORWARDED;
		fates += (unsigned)(after->forwarded - before->forwarded);
	}
	if (after->answered != before->answered) {
		w->fate = FATE_ANSWERED;
		fates += (unsigned)(after->answered - before->answered);
	}
	if (after->absorbed != before->absorbed) {
		w->fate = FATE_ABSORBED;
		fates += (unsigned)(after->absorbed - before->absorbed);
	}
	if (after->messages_parked != before->messages_parked) {
		w->fate = FATE_PARKED;
		fates += (unsigned)(after->messages_parked - before->messages_parked);
	}
	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		if (drop_scope[i] == BP_DROP_SCOPE_MESSAGE && after->drops[i] != before->drops[i]) {
			w->fate = FATE_DROPPED;
			w->drop = (enum bp_drop)i;
			fates += (unsigned)(after->drops[i] - before->drops[i]);
		}
	/* One, and those that came in between. */
	if (after->messages_received - before->messages_received != fates || fates == 0 ||
		(fates > 1 && !w->between))
		world_fail(w, __FILE__, __LINE__, "counting law: %u messages received, %u accounted for",
			(unsigned)(after->messages_received - before->messages_received), fates);
	if (w->bad_answer && !w->between && w->fate != FATE_ANSWERED)
		world_fail(w, __FILE__, __LINE__, "bad message sent: %s", w->bad_answer);
	w->bad_answer = NULL;
	if (sent == 0 && (w->fate == FATE_FORWARDED || w->fate == FATE_ANSWERED) &&
		after->drops[BP_DROP_tx_no_buffer] == before->drops[BP_DROP_tx_no_buffer])
		world_fail(w, __FILE__, __LINE__, "counted as %s, but nothing was sent", fate_names[w->fate]);
}

void
say_bytes(struct world *w, const struct peer *from, const void *bytes, size_t size)
{
	struct bp_flow flow = peer_flow(from);
	struct bp_counters before = *world_sum(w);
	/* Of exactly this size, and gone after the call: a sanitizer sees a read past it or after it. */
	uint8_t *datagram = malloc(size ? size : 1);
	uint16_t worker;
	unsigned sent;

	if (w->pattern_left > 0) {
		w->worker = w->pattern & 1;
		w->pattern >>= 1;
		w->pattern_left--;
	}
	worker = w->worker;
	memcpy(datagram, bytes, size);
	world_log(w, worker, &flow, bytes, size, false);
	w->received++;
	sent = w->log_count;
	bp_engine_receive(w->engines[worker], &flow, datagram, (uint32_t)size, w->now_us);
	memset(datagram, 0xdd, size);
	free(datagram);
	w->worker = worker;
	note_fate(w, &before, w->log_count - sent);
}

void
say(struct world *w, const struct peer *from, const char *text)
{
	say_bytes(w, from, text, strlen(text));
}

static struct passed *
first_untaken(struct world *w, const struct bp_flow *to)
{
	while (w->log_first < w->log_count && (!w->log[w->log_first].out || w->log[w->log_first].taken))
		w->log_first++;
	for (unsigned i = w->log_first; i < w->log_count; i++)
		if (w->log[i].out && !w->log[i].taken && (!to || bp_flow_equal(&w->log[i].flow, to)))
			return &w->log[i];
	return NULL;
}

const char *
world_expect(struct world *w, const struct peer *to, const char *method, unsigned status, const char *file,
	int line)
{
	struct bp_flow flow = to ? peer_flow(to) : (struct bp_flow){0};
	struct passed *passed = first_untaken(w, to ? &flow : NULL);
	const char *what = status ? text_printf("%u (%s)", status, method) : method;
	const char *who = to ? to->name : "anybody";

	if (!passed)
		world_fail(w, file, line, "expected %s to %s, there is nothing", what, who);
	if (text_status(passed->text) != status || strcmp(text_cseq_method(passed->text), method) != 0)
		world_fail(w, file, line, "expected %s to %s, there is: %s (%s)", what, who,
			text_copy(passed->text, strcspn(passed->text, "\r\n")),
			text_header(passed->text, "CSeq"));
	passed->taken = true;
	w->last_us = passed->time_us;
	w->last_worker = passed->worker;
	w->last_flow = passed->flow;
	return passed->text;
}

unsigned
world_take(struct world *w, const struct peer *to)
{
	struct bp_flow flow = to ? peer_flow(to) : (struct bp_flow){0};
	struct passed *passed;
	unsigned count = 0;

	for (; (passed = first_untaken(w, to ? &flow : NULL)); count++)
		passed->taken = true;
	return count;
}

void
world_expect_nothing(struct world *w, const char *file, int line)
{
	struct passed *passed = first_untaken(w, NULL);

	if (passed)
		world_fail(w, file, line, "expected nothing more, there is to %s: %s (%s)",
			ladder_peer(&passed->flow), text_copy(passed->text, strcspn(passed->text, "\r\n")),
			text_header(passed->text, "CSeq"));
}

void
world_expect_fate(struct world *w, enum fate fate, enum bp_drop drop, const char *file, int line)
{
	if (w->fate != fate || w->drop != drop)
		world_fail(w, file, line, "expected the message to be %s (%s), it was %s (%s)",
			fate_names[fate], drop_names[drop], fate_names[w->fate], drop_names[w->drop]);
}

void
world_expect_at(struct world *w, uint64_t us, const char *file, int line)
{
	if (w->last_us != w->start_us + us)
		world_fail(w, file, line, "expected at %u.%06u s, it was sent at %u.%06u s",
			(unsigned)(us / 1000000), (unsigned)(us % 1000000),
			(unsigned)((w->last_us - w->start_us) / 1000000),
			(unsigned)((w->last_us - w->start_us) % 1000000));
}

void
world_check(struct world *w, bool condition, const char *text, const char *file, int line)
{
	if (!condition)
		world_fail(w, file, line, "%s: does not hold", text);
}

void
world_check_int(struct world *w, int64_t a, int64_t b, const char *text, const char *file, int line)
{
	if (a != b)
		world_fail(w, file, line, "%s is %lld, not %lld", text, (long long)a, (long long)b);
}

void
world_check_text(struct world *w, const char *a, const char *b, const char *text, const char *file, int line)
{
	if (!a || !b || strcmp(a, b) != 0)
		world_fail(
			w, file, line, "%s is \"%s\", not \"%s\"", text, a ? a : "(none)", b ? b : "(none)");
}
