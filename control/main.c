/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The daemon's command line.
 */
#include "byepass/dataplane.h"
#include "config/load.h"
#include "daemon.h"
#include "log.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_CHECK = 256 };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
usage(FILE *stream)
{
	fprintf(stream, "usage: byepass --config FILE [--check]\n"
			"\n"
			"  -c, --config FILE  read the configuration from FILE (YAML)\n"
			"      --check        validate it, say what it comes to, and exit\n"
			"  -V, --version      print the version\n"
			"  -h, --help         print this\n");
}

/* Loads and says what there is to say. NULL: refused, said on stderr. */
static struct bp_config *
load(const char *path, bool check)
{
	struct bp_report *report = calloc(1, sizeof(*report));
	struct bp_config *config = NULL;

	if (report == NULL) {
		fprintf(stderr, "byepass: out of memory\n");
		return NULL;
	}
	if (bp_config_load(&config, path, report) != 0)
		bp_report_print(report, stderr);
	for (unsigned i = 0; i < report->notices && config != NULL; i++) {
		if (check)
			fprintf(stderr, "%s: notice: %s\n", path, report->notice[i]);
		else
			bp_log_text(BP_LOG_NOTICE, "notice", report->notice[i]);
	}
	free(report);
	return config;
}

/* What --check says of a configuration that could be loaded. Returns the exit code. */
static int
say_what_it_comes_to(const char *path, const struct bp_config *config)
{
	uint32_t transactions, dialogs;
	char error[256];

	if (bp_dataplane_capacity_of(config, &transactions, &dialogs, error, sizeof(error)) != 0) {
		fprintf(stderr, "%s: %s\n", path, error);
		return 1;
	}
	printf("%s: good\n", path);
	bp_config_summary(config, transactions, dialogs, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	struct bp_config *config;
	const char *path = NULL;
	bool check = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case OPTION_CHECK:
			check = true;
			break;
		case 'V':
			printf("byepass %s\n", BP_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (path == NULL || optind != argc) {
		usage(stderr);
		return 1;
	}
	config = load(path, check);
	if (config == NULL)
		return 1;
	if (!check)
		return bp_daemon_run(config);
	code = say_what_it_comes_to(path, config);
	bp_config_free(config);
	return code;
}
