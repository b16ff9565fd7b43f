/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The counting law, see law.h.
 */
#include "law.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
	BP_DROPS(X)
#undef X
};

uint64_t
bp_law_dropped(const struct bp_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			sum += bp_count_read(&counters->drops[i]);
	}
	return sum;
}

uint64_t
bp_law_accounted(const struct bp_counters *counters)
{
	return bp_count_read(&counters->forwarded) + bp_count_read(&counters->answered) +
	       bp_count_read(&counters->absorbed) + bp_law_dropped(counters) +
	       bp_count_read(&counters->messages_parked);
}

static uint64_t
sum_received(const struct bp_dataplane *dataplane)
{
	unsigned workers = bp_dataplane_worker_count(dataplane);
	uint64_t sum = 0;

	for (unsigned i = 0; i < workers; i++)
		sum += bp_count_read(&bp_dataplane_counters(dataplane, i)->messages_received);
	return sum;
}

/* One look: the dispositions are read between two readings of what was received. Returns the first of them. */
static uint64_t
look(const struct bp_dataplane *dataplane, struct bp_law *law)
{
	unsigned workers = bp_dataplane_worker_count(dataplane);
	uint64_t before = sum_received(dataplane);

	law->accounted = 0;
	for (unsigned i = 0; i < workers; i++)
		law->accounted += bp_law_accounted(bp_dataplane_counters(dataplane, i));
	law->received = sum_received(dataplane);
	return before;
}

void
bp_law_check(
	const struct bp_dataplane *dataplane, unsigned attempts, void (*between)(void), struct bp_law *law)
{
	static const struct timespec millisecond = {.tv_nsec = 1000000};
	uint64_t slack = (uint64_t)bp_dataplane_worker_count(dataplane) * BP_LAW_IN_FLIGHT, before = 0;
	bool still = attempts > 1; /* nothing has moved since the first look */
	struct bp_law last = {0};

	for (unsigned i = 0; i < attempts; i++) {
		if (i > 0 && between != NULL)
			between();
		else if (i > 0)
			nanosleep(&millisecond, NULL);
		before = look(dataplane, law);
		still = still && before == law->received &&
			(i == 0 || (law->received == last.received && law->accounted == last.accounted));
		law->holds = law->accounted == law->received && before == law->received;
		if (law->holds)
			return;
		last = *law;
	}
	law->holds = !still && law->accounted + slack >= before && law->accounted <= law->received + slack;
}

const char *
bp_law_text(const struct bp_law *law, char *out, size_t size)
{
	if (law->holds)
		snprintf(out, size, "holds");
	else
		snprintf(out, size, "off by %" PRId64 ": %" PRIu64 " received, %" PRIu64 " accounted for",
			(int64_t)(law->received - law->accounted), law->received, law->accounted);
	return out;
}
