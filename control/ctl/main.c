/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepassctl: the operator's command. It asks the daemon over its Unix socket (or a
 * URL) and shows the answer, for people or with --json as it came.
 * Exit codes: 0 done; 1 the daemon refused or knows nothing of it; 2 wrong usage;
 * 3 the daemon cannot be reached.
 */
#include "ctl/ctl.h"

#include <curl/curl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/byepass/control.sock"

enum { OPTION_SOCKET = 256, OPTION_URL, OPTION_JSON, OPTION_ALL, OPTION_MAX };

static const struct option options[] = {
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"url", required_argument, NULL, OPTION_URL},
	{"json", no_argument, NULL, OPTION_JSON},
	{"all", no_argument, NULL, OPTION_ALL},
	{"max", required_argument, NULL, OPTION_MAX},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
usage(FILE *stream)
{
	fprintf(stream, "usage: byepassctl [OPTION...] COMMAND\n"
			"\n"
			"  status           what the daemon does now\n"
			"  drops            what was dropped, and why\n"
			"  ladder CALL-ID   the messages of a call as a ladder diagram\n"
			"  trace            the last messages\n"
			"  trunks           the targets of trunks, and which are up\n"
			"  metrics          all metrics, as Prometheus reads them\n"
			"\n"
			"      --socket PATH  the daemon's socket (" DEFAULT_SOCKET ")\n"
			"      --url URL      ask http://HOST:PORT instead\n"
			"      --json         the answer as JSON\n"
			"      --all          drops: also the reasons that never happened\n"
			"      --max N        trace: that many messages (50)\n"
			"  -V, --version\n"
			"  -h, --help\n"
			"\n"
			"exit codes: 0 done, 1 refused, 2 wrong usage, 3 the daemon cannot be reached\n");
}

/* The columns of the terminal, or 80. */
static unsigned
terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
		return size.ws_col < 120 ? size.ws_col : 120;
	return 80;
}

static int
ladder(struct bp_ctl *ctl, const char *call_id)
{
	char *escaped = curl_easy_escape(NULL, call_id, 0), *path = NULL;
	int result = BP_CTL_REFUSED;

	if (escaped != NULL && asprintf(&path, "/v1/calls/%s/ladder?format=%s&width=%u", escaped,
				       ctl->json ? "json" : "text", terminal_width()) >= 0)
		result = bp_ctl_show(ctl, path, NULL);
	curl_free(escaped);
	free(path);
	return result;
}

static int
trace(struct bp_ctl *ctl)
{
	char path[64];

	snprintf(path, sizeof(path), "/v1/trace?max=%.20s", ctl->max);
	return bp_ctl_show(ctl, path, bp_ctl_print_trace);
}

static int
run(struct bp_ctl *ctl, int argc, char **argv)
{
	const char *command = argc > 0 ? argv[0] : "";

	if (strcmp(command, "ladder") == 0 && argc == 2 && argv[1][0] != '\0')
		return ladder(ctl, argv[1]);
	if (argc == 1 && strcmp(command, "status") == 0)
		return bp_ctl_show(ctl, "/v1/status", bp_ctl_print_status);
	if (argc == 1 && strcmp(command, "drops") == 0)
		return bp_ctl_show(ctl, "/v1/drops", bp_ctl_print_drops);
	if (argc == 1 && strcmp(command, "trunks") == 0)
		return bp_ctl_show(ctl, "/v1/trunks", bp_ctl_print_trunks);
	if (argc == 1 && strcmp(command, "trace") == 0)
		return trace(ctl);
	if (argc == 1 && strcmp(command, "metrics") == 0 && ctl->json) {
		fprintf(stderr, "byepassctl: metrics have no JSON form; status and drops have\n");
		return BP_CTL_USAGE;
	}
	if (argc == 1 && strcmp(command, "metrics") == 0)
		return bp_ctl_show(ctl, "/metrics", NULL);
	usage(stderr);
	return BP_CTL_USAGE;
}

int
main(int argc, char **argv)
{
	struct bp_ctl ctl = {.socket = DEFAULT_SOCKET, .max = "50"};
	int option, result;

	while ((option = getopt_long(argc, argv, "Vh", options, NULL)) != -1) {
		switch (option) {
		case OPTION_SOCKET:
			ctl.socket = optarg;
			break;
		case OPTION_URL:
			ctl.url = optarg;
			break;
		case OPTION_JSON:
			ctl.json = true;
			break;
		case OPTION_ALL:
			ctl.all = true;
			break;
		case OPTION_MAX:
			ctl.max = optarg;
			break;
		case 'V':
			printf("byepassctl %s\n", BP_VERSION);
			return BP_CTL_DONE;
		case 'h':
			usage(stdout);
			return BP_CTL_DONE;
		default:
			usage(stderr);
			return BP_CTL_USAGE;
		}
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	result = run(&ctl, argc - optind, argv + optind);
	curl_global_cleanup();
	if (result == BP_CTL_DONE && (fflush(stdout) != 0 || ferror(stdout)))
		result = BP_CTL_REFUSED;
	return result;
}
