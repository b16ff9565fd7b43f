/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small questions about the shared state, see state.h.
 */
#include "state.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

static uint64_t
now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
bp_now_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

uint64_t
bp_now_utc_us(void)
{
	return now_us(CLOCK_REALTIME);
}

void
bp_counters_copy(const struct bp_counters *from, struct bp_counters *to)
{
	static_assert(sizeof(*from) % sizeof(uint64_t) == 0, "counters are 64-bit words and nothing else");
	const uint64_t *source = (const uint64_t *)from;
	uint64_t *target = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*from) / sizeof(uint64_t); i++)
		target[i] = bp_count_read(&source[i]);
}

/* A record may be counted as ended before its making is seen: never below zero. */
static uint64_t
less(uint64_t made, uint64_t ended)
{
	return made > ended ? made - ended : 0;
}

#define X(machine, state) #state,
static const char *const ist_states[] = {BP_IST_STATES(X)}, *const nist_states[] = {BP_NIST_STATES(X)};
#undef X

unsigned
bp_server_states(enum bp_transaction_kind kind)
{
	return kind == BP_KIND_INVITE ? sizeof(ist_states) / sizeof(ist_states[0])
				      : sizeof(nist_states) / sizeof(nist_states[0]);
}

void
bp_server_state_name(enum bp_transaction_kind kind, unsigned state, char out[BP_STATE_NAME_SIZE])
{
	snprintf(out, BP_STATE_NAME_SIZE, "%s", kind == BP_KIND_INVITE ? ist_states[state] : nist_states[state]);
	for (; *out != '\0'; out++)
		*out = (char)tolower((unsigned char)*out);
}

/* Records by the state of their server machine. Who is in none of the other states is Terminated and waits for its client
 * machines and CANCELs. */
static void
count_states(const struct bp_counters *sum, enum bp_transaction_kind kind, struct bp_live *live)
{
	enum bp_machine_id machine = kind == BP_KIND_INVITE ? BP_MACHINE_IST : BP_MACHINE_NIST;
	unsigned terminated = bp_server_states(kind) - 1;
	uint64_t others = 0;

	for (unsigned i = 0; i < terminated; i++) {
		live->states[kind][i] = less(sum->states_entered[machine][i], sum->states_left[machine][i]);
		others += live->states[kind][i];
	}
	live->states[kind][terminated] = less(live->transactions[kind], others);
}

void
bp_live_of(const struct bp_counters *sum, struct bp_live *live)
{
	uint64_t ended = 0;

	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		live->transactions[i] = less(sum->transactions_created[i], sum->transactions_ended[i]);
	for (unsigned i = 0; i < BP_KIND_COUNT; i++) {
		count_states(sum, (enum bp_transaction_kind)i, live);
		live->bytes[i] = live->transactions[i] * BP_RECORD_BYTES +
				 less(sum->kept_taken_bytes[i], sum->kept_returned_bytes[i]);
	}
	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		ended += sum->dialogs_ended[i];
	live->dialogs = less(sum->dialogs_created, ended);
	live->calls = less(sum->calls_reserved, sum->calls_released);
	live->kept = less(sum->kept_taken, sum->kept_returned);
}

bool
bp_control_alive(const struct bp_control *control)
{
	return bp_now_monotonic_us() - atomic_load(&control->alive_us) <= BP_ALIVE_US;
}
