/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench: one program, one subcommand per thing that is measured. Each has its
 * own files here.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
#ifdef BENCH_DPDK
	{"call", bench_call, "whole calls through the whole edge, over shared-memory ports"},
	{"load", bench_load, "calls through any SIP proxy, over any DPDK port"},
	{"loopback", bench_loopback, "the generator of calls against itself"},
#endif
	{"parse", bench_parse, "SIP messages: the parser, beside libosip2 and sofia-sip"},
	{"engine", bench_engine, "whole calls through the engine alone, without packets"},
	{"route", bench_route, "the choice of a route among a million"},
	{"table", bench_table, "hash tables of relay records, at millions of live entries"},
};

static void
usage(FILE *to)
{
	fprintf(to, "byepass-bench COMMAND [OPTION...]; COMMAND --help tells more\n\n");
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].what);
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return 0;
	}
	usage(stderr);
	return 2;
}
