/* SPDX-License-Identifier: BSD-3-Clause
 *
 * simulation [--seeds N] [--first S] [--trace CALL]: runs N seeds from S on. 0 when every rule held in all of them;
 * else the offending call's ladder is printed, and the seed on the last line.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <urcu/urcu-qsbr.h>

struct arguments {
	uint64_t seeds, first;
	uint32_t trace;
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: simulation [--seeds N] [--first S] [--trace CALL]\n");
	exit(2);
}

static struct arguments
read_arguments(int argc, char **argv)
{
	struct arguments arguments = {.seeds = 1, .first = 1, .trace = NOT_TRACED};

	for (int i = 1; i < argc; i += 2) {
		char *end;
		uint64_t value;

		if (i + 1 == argc)
			usage();
		value = strtoull(argv[i + 1], &end, 10);
		if (end == argv[i + 1] || *end != '\0')
			usage();
		if (strcmp(argv[i], "--seeds") == 0)
			arguments.seeds = value;
		else if (strcmp(argv[i], "--first") == 0)
			arguments.first = value;
		else if (strcmp(argv[i], "--trace") == 0)
			arguments.trace = (uint32_t)value;
		else
			usage();
	}
	return arguments;
}

/* The same again, with the offending call before our eyes. */
static int
explain(uint64_t seed, const struct sim_result *first)
{
	struct sim_result again;

	printf("broken rule: %s\n", first->violation);
	if (first->offender != NOT_TRACED) {
		printf("call %u, as it happened (---> seen by the edge, x lost, .. > arrived; wN: worker):\n",
			first->offender);
		again = sim_run(seed, first->offender);
		if (strcmp(again.violation, first->violation) != 0)
			printf("the second run differs: %s\n", again.violation);
	}
	printf("%llu\n", (unsigned long long)seed);
	return 1;
}

int
main(int argc, char **argv)
{
	struct arguments arguments = read_arguments(argc, argv);
	uint64_t messages = 0, calls = 0, dialogs = 0, virtual_us = 0;
	clock_t begin = clock();

	setvbuf(stdout, NULL, _IOLBF, 0);
	urcu_qsbr_register_thread();
	for (uint64_t i = 0; i < arguments.seeds; i++) {
		struct sim_result result = sim_run(arguments.first + i, arguments.trace);

		if (result.failed)
			return explain(arguments.first + i, &result);
		messages += result.messages;
		calls += result.calls;
		dialogs += result.dialogs;
		virtual_us += result.virtual_us;
	}
	urcu_qsbr_unregister_thread();
	printf("%llu seeds: %llu calls, %llu dialogs, %llu messages received, %.0f hours of SIP in %.1f s\n",
		(unsigned long long)arguments.seeds, (unsigned long long)calls, (unsigned long long)dialogs,
		(unsigned long long)messages, (double)virtual_us / 3.6e9, (double)(clock() - begin) / CLOCKS_PER_SEC);
	return 0;
}
