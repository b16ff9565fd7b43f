/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the subcommands that generate calls share: options on the command line, and the report as text and JSON.
 */
#ifndef BYEPASS_BENCH_TRAFFIC_H
#define BYEPASS_BENCH_TRAFFIC_H

#include "generator/generator.h"
#include "support.h"

#include <getopt.h>

/* Entries for getopt_long(), none of a letter that a subcommand may use: all are from 0x100 on. */
#define TRAFFIC_OPTIONS \
	{"scenario", required_argument, NULL, TRAFFIC_SCENARIO}, {"rate", required_argument, NULL, TRAFFIC_RATE}, \
		{"window", required_argument, NULL, TRAFFIC_WINDOW}, {"calls", required_argument, NULL, TRAFFIC_CALLS}, \
		{"calls-max", required_argument, NULL, TRAFFIC_CALLS_MAX}, \
		{"ring", required_argument, NULL, TRAFFIC_RING}, {"hold", required_argument, NULL, TRAFFIC_HOLD}, \
		{"size", required_argument, NULL, TRAFFIC_SIZE}, {"sources", required_argument, NULL, TRAFFIC_SOURCES}, \
		{"trunks", required_argument, NULL, TRAFFIC_TRUNKS}, \
		{"headers", required_argument, NULL, TRAFFIC_HEADERS}, {"t1", required_argument, NULL, TRAFFIC_T1}, \
		{"t2", required_argument, NULL, TRAFFIC_T2}, {"seed", required_argument, NULL, TRAFFIC_SEED}, \
		{"checksum", no_argument, NULL, TRAFFIC_CHECKSUM}

enum {
	TRAFFIC_SCENARIO = 0x100,
	TRAFFIC_RATE,
	TRAFFIC_WINDOW,
	TRAFFIC_CALLS,
	TRAFFIC_CALLS_MAX,
	TRAFFIC_RING,
	TRAFFIC_HOLD,
	TRAFFIC_SIZE,
	TRAFFIC_SOURCES,
	TRAFFIC_TRUNKS,
	TRAFFIC_HEADERS,
	TRAFFIC_T1,
	TRAFFIC_T2,
	TRAFFIC_SEED,
	TRAFFIC_CHECKSUM,
};

/* What --help says of them. */
extern const char traffic_help[];

/* Takes one option; exits with 2 when its argument is wrong. False: it is none of these. */
bool traffic_option(int option, const char *argument, struct gen_options *options);

/* A number of at least @least; exits with 2 when it is something else. */
double traffic_number(const char *text, double least);

/* What the report is about. */
struct traffic_run {
	const struct gen_options *options;
	const char *scenario; /* as it was given */
	double seconds;       /* measured; 0: in virtual time, and no rates are told */
	double cpu_seconds;   /* that the generator's thread got of them, when it does nothing else; 0: not known */
	double tsc_hz;
};

void traffic_print(const struct traffic_run *run, const struct gen_report *report);
/* Keys of the document that is open. */
void traffic_json(struct bench_json *json, const struct traffic_run *run, const struct gen_report *report);

/* The mix as it was given with --scenario, "bye" else. */
const char *traffic_scenario(void);

#endif
