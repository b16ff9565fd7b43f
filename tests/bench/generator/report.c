/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reports, names, defaults. See generator.h.
 */
#include "generator/state.h"

#include <stdio.h>
#include <stdlib.h>

/* All histograms of a report. */
#define HISTOGRAMS(X) X(transit) X(onward) X(back) X(ringing) X(setup) X(late_by)

void
gen_report(const struct gen *gen, struct gen_report *report)
{
	*report = gen->report;
	report->open = gen->calls.open;
	report->kept_bytes_peak = (uint64_t)gen->calls.blocks_peak * sizeof(struct block);
	report->shapes = 0;
	for (unsigned i = 0; i < SHAPES_MAX; i++)
		report->shapes += gen->shapes[i].used;
}

void
gen_report_reset(struct gen *gen)
{
	memset(&gen->report, 0, sizeof(gen->report));
#define X(name) gen_histogram_reset(&gen->report.name);
	HISTOGRAMS(X)
#undef X
	gen->report.open_peak = gen->calls.open;
	gen->calls.blocks_peak = gen->calls.block_count - gen->calls.free_block_count;
}

void
gen_report_add(struct gen_report *sum, const struct gen_report *more)
{
	/* everything before the histograms is counters */
	const uint64_t *from = (const uint64_t *)more;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < offsetof(struct gen_report, transit) / sizeof(uint64_t); i++)
		to[i] += from[i];
#define X(name) gen_histogram_add(&sum->name, &more->name);
	HISTOGRAMS(X)
#undef X
}

uint64_t
gen_report_failed(const struct gen_report *report)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < GEN_FAILURE_COUNT; i++)
		sum += report->failed[i];
	return sum;
}

void
gen_options_default(struct gen_options *options)
{
	memset(options, 0, sizeof(*options));
	options->weights[GEN_BYE] = 1;
	options->rate = 1000;
	options->calls_max = 1 << 20;
	options->window = 256;
	options->t1_s = 0.5;
	options->t2_s = 4;
	options->seed = 1;
	options->socket = -1;
}

static const char *const scenario_names[] = {
#define X(id, name) name,
	GEN_SCENARIOS(X)
#undef X
};

/* "name" or "name=weight". */
static bool
read_part(const char *text, size_t size, uint16_t *weights)
{
	const char *equals = memchr(text, '=', size);
	size_t name = equals ? (size_t)(equals - text) : size;
	unsigned long weight = 1;
	char *end;

	if (equals != NULL) {
		weight = strtoul(equals + 1, &end, 10);
		if (end != text + size || end == equals + 1 || weight > 1000)
			return false;
	}
	for (unsigned i = 0; i < GEN_SCENARIO_COUNT; i++) {
		if (strlen(scenario_names[i]) == name && memcmp(scenario_names[i], text, name) == 0) {
			weights[i] = (uint16_t)weight;
			return true;
		}
	}
	return false;
}

bool
gen_scenario_read(const char *text, uint16_t weights[GEN_SCENARIO_COUNT])
{
	unsigned sum = 0;

	memset(weights, 0, GEN_SCENARIO_COUNT * sizeof(*weights));
	if (strcmp(text, "mixed") == 0)
		text = "bye=70,cancel=20,cancel-early=5,race=5";
	for (;; text++) {
		size_t size = strcspn(text, ",");

		if (!read_part(text, size, weights))
			return false;
		text += size;
		if (*text == '\0')
			break;
	}
	for (unsigned i = 0; i < GEN_SCENARIO_COUNT; i++)
		sum += weights[i];
	return sum > 0;
}

const char *
gen_scenario_name(enum gen_scenario scenario)
{
	return scenario_names[scenario];
}

const char *
gen_failure_text(enum gen_failure failure)
{
	static const char *const texts[] = {
#define X(id, text) text,
		GEN_FAILURES(X)
#undef X
	};

	return texts[failure];
}

const char *
gen_kind_name(enum gen_kind kind)
{
	static const char *const names[] = {
#define X(id, name) name,
		GEN_KINDS(X)
#undef X
	};

	return names[kind];
}

const char *
gen_fault_text(enum gen_fault fault)
{
	static const char *const texts[] = {
#define X(id, text) text,
		GEN_FAULTS(X)
#undef X
	};

	return texts[fault];
}
