/* SPDX-License-Identifier: BSD-3-Clause
 *
 * simulation [--seeds N] [--first S] [--jobs J] [--trace CALL]: runs N seeds from S on, J at a time. 0 when every
 * rule held in all of them; else the offending call's ladder is printed, and the seed on the last line.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

struct arguments {
	uint64_t seeds, first, jobs, trace;
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: simulation [--seeds N] [--first S] [--jobs J] [--trace CALL]\n");
	exit(2);
}

static struct arguments
read_arguments(int argc, char **argv)
{
	struct arguments arguments = {.seeds = 1, .first = 1, .jobs = 1, .trace = NOT_TRACED};
	const struct {
		const char *name;
		uint64_t *value;
	} known[] = {{"--seeds", &arguments.seeds},
		{"--first", &arguments.first},
		{"--jobs", &arguments.jobs},
		{"--trace", &arguments.trace}};

	for (int i = 1; i < argc; i += 2) {
		unsigned which = 0;
		char *end;

		while (which < 4 && strcmp(argv[i], known[which].name) != 0)
			which++;
		if (which == 4 || i + 1 == argc || argv[i + 1][0] < '0' || argv[i + 1][0] > '9')
			usage();
		*known[which].value = strtoull(argv[i + 1], &end, 10);
		if (*end != '\0')
			usage();
	}
	if (arguments.jobs == 0 || arguments.seeds == 0)
		usage();
	return arguments;
}

static void
summarize(uint64_t seeds, const struct totals *t)
{
	printf("%llu seeds, every rule held: %llu calls, %llu dialogs; %llu messages taken, %llu sent, %llu lost, "
	       "%llu repeated by the network; %llu CANCELs, of which %llu won the race with the answer and %llu lost it; "
	       "%llu BYEs of the edge's own; workers stopped %llu times in mid-call; %.1f hours of SIP; trace %016llx\n",
		(unsigned long long)seeds, (unsigned long long)t->calls, (unsigned long long)t->dialogs,
		(unsigned long long)t->received, (unsigned long long)t->sent, (unsigned long long)t->lost,
		(unsigned long long)t->repeated, (unsigned long long)t->cancels, (unsigned long long)t->cancels_won,
		(unsigned long long)t->cancels_lost, (unsigned long long)t->own_byes, (unsigned long long)t->stops, (double)t->virtual_us / 3.6e9,
		(unsigned long long)t->trace);
}

/* One seed in this process, with the ladder of one of its calls. */
static int
trace(uint64_t seed, uint32_t call)
{
	struct sim_result result;

	urcu_qsbr_register_thread();
	result = sim_run(seed, call);
	urcu_qsbr_unregister_thread();
	if (!result.failed) {
		summarize(1, &result.totals);
		return 0;
	}
	printf("broken rule: %s\n%llu\n", result.violation, (unsigned long long)seed);
	return 1;
}

int
main(int argc, char **argv)
{
	struct arguments arguments = read_arguments(argc, argv);
	struct totals totals;
	uint64_t failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (arguments.trace != NOT_TRACED)
		return trace(arguments.first, (uint32_t)arguments.trace);
	failed = jobs_run(arguments.first, arguments.seeds, (unsigned)arguments.jobs, &totals);
	if (failed == NEVER) {
		summarize(arguments.seeds, &totals);
		return 0;
	}
	jobs_explain(failed);
	printf("%llu\n", (unsigned long long)failed);
	return 1;
}
