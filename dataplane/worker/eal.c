/* SPDX-License-Identifier: BSD-3-Clause
 *
 * EAL's arguments out of the configuration, and EAL's life.
 * The log of DPDK is in eal_log.c.
 */
#include "worker/eal.h"
#include "worker/device.h"
#include "worker/eal_log.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int add(struct bp_eal_arguments *arguments, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int
add(struct bp_eal_arguments *arguments, const char *format, ...)
{
	char **argv = realloc(arguments->argv, (size_t)(arguments->argc + 2) * sizeof(*argv));
	va_list list;
	int size;

	if (!argv)
		return -ENOMEM;
	arguments->argv = argv;
	va_start(list, format);
	size = vasprintf(&argv[arguments->argc], format, list);
	va_end(list);
	if (size < 0) {
		argv[arguments->argc] = NULL;
		return -ENOMEM;
	}
	argv[++arguments->argc] = NULL;
	return 0;
}

/* "--lcores=0@control,1@cpu,...": with each lcore spelled out, several may share a CPU. */
static int
add_lcores(struct bp_eal_arguments *arguments, const struct bp_config_workers *workers)
{
	char text[16 + BP_CONFIG_WORKERS_MAX * 16];
	int size = snprintf(text, sizeof(text), "--lcores=0@%u", workers->control_cpu);

	for (unsigned i = 0; i < workers->count; i++)
		size += snprintf(text + size, sizeof(text) - (size_t)size, ",%u@%u", BP_EAL_LCORE(i),
			workers->cpus[i]);
	return add(arguments, "%s", text);
}

static int
add_devices(struct bp_eal_arguments *arguments, const struct bp_config *config)
{
	bool bus = false;
	int rc = 0;

	for (unsigned i = 0; i < config->port_count && !rc; i++) {
		const char *device = config->ports[i].device;

		if (bp_device_is_virtual(device)) {
			rc = add(arguments, "--vdev=%s%s", device, bp_device_extra_arguments(device));
		} else {
			rc = add(arguments, "--allow=%s", device);
			bus = true;
		}
	}
	if (!rc && !bus)
		rc = add(arguments, "--no-pci");
	return rc;
}

static int
add_split(struct bp_eal_arguments *arguments, const char *text, bool *telemetry)
{
	int rc = 0;

	while (!rc) {
		size_t size;

		text += strspn(text, " \t");
		size = strcspn(text, " \t");
		if (size == 0)
			break;
		if (size == strlen("--telemetry") && strncmp(text, "--telemetry", size) == 0)
			*telemetry = true;
		rc = add(arguments, "%.*s", (int)size, text);
		text += size;
	}
	return rc;
}

int
bp_eal_arguments_build(struct bp_eal_arguments *arguments, const struct bp_config *config, bool devices,
	bool huge, unsigned memory_mb)
{
	bool telemetry = false;
	int rc;

	memset(arguments, 0, sizeof(*arguments));
	rc = add(arguments, "byepass");
	if (!rc)
		rc = add_lcores(arguments, &config->workers);
	if (!rc)
		rc = add(arguments, "--main-lcore=0");
	/* Nothing on disk, nothing shared: any number of processes, no files left. EAL refuses --in-memory
	 * without huge pages. */
	if (!rc)
		rc = add(arguments, huge ? "--in-memory" : "--no-shconf");
	if (!rc)
		rc = add(arguments, "--file-prefix=byepass");
	if (!rc)
		rc = add(arguments, "--log-level=warning");
	if (!rc && !huge)
		rc = add(arguments, "--no-huge");
	if (!rc && !huge)
		rc = add(arguments, "-m%u", memory_mb);
	if (!rc)
		rc = devices ? add_devices(arguments, config) : add(arguments, "--no-pci");
	if (!rc)
		rc = add_split(arguments, config->workers.eal_args, &telemetry);
	if (!rc && !telemetry)
		rc = add(arguments, "--no-telemetry");
	return rc;
}

void
bp_eal_arguments_free(struct bp_eal_arguments *arguments)
{
	for (int i = 0; i < arguments->argc; i++)
		free(arguments->argv[i]);
	free(arguments->argv);
	memset(arguments, 0, sizeof(*arguments));
}

/* EAL answers a CPU that is not there with its whole usage text; this answers with one line. */
static int
check_cpus(const struct bp_config_workers *workers, char *error, size_t error_size)
{
	cpu_set_t set;
	unsigned wanted = workers->control_cpu;
	unsigned i = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0; /* more CPUs than the set holds: EAL will see */
	while (wanted < CPU_SETSIZE && CPU_ISSET(wanted, &set)) {
		if (i == workers->count)
			return 0;
		wanted = workers->cpus[i++];
	}
	snprintf(error, error_size,
		"workers: CPU %u does not exist or is not open to this process (it may use %d CPUs)", wanted,
		CPU_COUNT(&set));
	return -EINVAL;
}

/* EAL prints its usage, some hundred lines, when it dislikes an argument: an error is to be one line. */
static int
init_quietly(int argc, char **argv)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int before = dup(STDOUT_FILENO);
	int rc;

	fflush(stdout);
	if (nowhere >= 0 && before >= 0)
		dup2(nowhere, STDOUT_FILENO);
	rc = rte_eal_init(argc, argv);
	fflush(stdout);
	if (nowhere >= 0 && before >= 0)
		dup2(before, STDOUT_FILENO);
	if (nowhere >= 0)
		close(nowhere);
	if (before >= 0)
		close(before);
	return rc;
}

int
bp_eal_start(
	struct bp_eal_arguments *arguments, const struct bp_config *config, char *error, size_t error_size)
{
	char *argv[256];
	sigset_t blocked, before;
	int rc;

	rc = check_cpus(&config->workers, error, error_size);
	if (rc)
		return rc;
	if (arguments->argc >= (int)(sizeof(argv) / sizeof(argv[0]))) {
		snprintf(error, error_size, "EAL: too many arguments");
		return -E2BIG;
	}
	/* EAL moves its arguments about; ours must stay findable to be freed */
	memcpy(argv, arguments->argv, ((size_t)arguments->argc + 1) * sizeof(*argv));

	sigfillset(&blocked);
	sigdelset(&blocked, SIGIO);
	sigdelset(&blocked, SIGSEGV);
	sigdelset(&blocked, SIGBUS);
	sigdelset(&blocked, SIGFPE);
	sigdelset(&blocked, SIGILL);
	sigdelset(&blocked, SIGTRAP);
	sigdelset(&blocked, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	bp_eal_log_open();
	/* libxdp's dispatcher needs /sys/fs/bpf, which is not there in a network namespace; we need no
	 * dispatcher */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
	rc = init_quietly(arguments->argc, argv);
	sigaddset(&before, SIGIO);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc < 0) {
		const char *complaint = bp_eal_complaint("");
		const char *extra = config->workers.eal_args;

		rc = rte_errno > 0 ? -rte_errno : -EIO;
		snprintf(error, error_size, "DPDK does not start: %s%s%s",
			*complaint ? complaint : strerror(-rc), *extra ? "; workers.eal_args: " : "", extra);
		return rc;
	}
	bp_eal_log_libraries();
	return 0;
}

void
bp_eal_stop(void)
{
	char directory[256];

	snprintf(directory, sizeof(directory), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(directory); /* EAL makes it even when it keeps nothing there; in use by another: stays */
	bp_eal_log_close();
}
