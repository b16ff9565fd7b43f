/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ladder of the traced call, printed as it happens.
 */
#include "people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_traced(const struct sim *sim, const struct call *call)
{
	return call != NULL && call->index == sim->traced;
}

static void
print_time(const struct sim *sim)
{
	uint64_t us = sim->now_us - sim->start_us;

	printf("%5u.%06u  ", (unsigned)(us / 1000000), (unsigned)(us % 1000000));
}

/* "180 Ringing" or "INVITE", with what tells it from its like. */
static void
print_words(const char *bytes)
{
	struct seen m;

	if (!message_read(bytes, (unsigned)strlen(bytes), &m)) {
		printf("(unreadable)");
		return;
	}
	if (m.status > 0)
		printf("%u", m.status);
	printf("%s%.*s %u", m.status > 0 ? " " : "", (int)m.method.size, m.method.at, m.cseq);
	printf("  [..%.*s]", m.branch[0].size > 20 ? 20 : (int)m.branch[0].size,
		m.branch[0].size > 20 ? m.branch[0].at + m.branch[0].size - 36 : m.branch[0].at);
	if (m.to_tag.size > 0)
		printf(" to-tag %.*s", (int)m.to_tag.size, m.to_tag.at);
	if (m.serial > 0)
		printf(" #%u", m.serial);
}

void
ladder_message(struct sim *sim, struct call *call, enum ladder what, const struct agent *agent, const char *bytes,
	int worker)
{
	static const char *const arrows[][2] = {
		[LADDER_IN] = {"---> |              ", "     |        <---  "},
		[LADDER_OUT] = {"<--- |              ", "     |        --->  "},
		[LADDER_LOST] = {"-- x |              ", "     |        x --  "},
		[LADDER_ARRIVED] = {"<  . |              ", "     |        .  >  "},
	};

	if (!is_traced(sim, call))
		return;
	print_time(sim);
	if (worker >= 0)
		printf("w%d  ", worker);
	else
		printf("    ");
	printf("%-9.9s %s ", agent ? agent->contact + 4 : "?", arrows[what][agent && agent->core]);
	print_words(bytes);
	printf("\n");
	if (getenv("SIM_FULL"))
		printf("%s\n", bytes);
}

void
ladder_note(struct sim *sim, struct call *call, const char *format, ...)
{
	va_list arguments;

	if (!is_traced(sim, call))
		return;
	print_time(sim);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}
