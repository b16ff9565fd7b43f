/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Counts instructions by single-stepping a child process: exact, repeatable, on every
 * instruction set, AVX-512 included, which valgrind does not know.
 */
#include "parse.h"

#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM 3
#define STEPS_MAX 10000000

#if defined(__x86_64__)

/* Stops here for the parent: SIGTRAP. */
static void __attribute__((noinline)) marker(void)
{
	__asm__ volatile("int3" ::: "memory");
}

static void
child(bool (*run)(const uint8_t *, uint32_t), const struct parse_message *message)
{
	for (unsigned i = 0; i < WARM; i++)
		run(message->bytes, message->size);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	marker();
	run(message->bytes, message->size);
	marker();
	_exit(0);
}

static bool
stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

/* Whether marker() is called again. */
static bool
at_marker(pid_t pid)
{
	return ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, rip), NULL) == (long)marker;
}

/* Steps from the first marker to the second; 0: it did not work. */
static uint64_t
steps(bool (*run)(const uint8_t *, uint32_t), const struct parse_message *message)
{
	uint64_t count = 0;
	pid_t pid = fork();

	if (pid == 0)
		child(run, message);
	if (pid < 0)
		return 0;
	if (stopped(pid)) {
		while (!at_marker(pid) && count < STEPS_MAX) {
			if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || !stopped(pid)) {
				count = 0;
				break;
			}
			count++;
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return count;
}

static bool
nothing(const uint8_t *bytes, uint32_t size)
{
	return true;
}

uint64_t
parse_count_instructions(const struct parse_parser *parser, const struct parse_message *message)
{
	uint64_t call = steps(nothing, message), all = call ? steps(parser->run, message) : 0;

	return all > call ? all - call : 0;
}

#else

uint64_t
parse_count_instructions(const struct parse_parser *parser, const struct parse_message *message)
{
	return 0;
}

#endif
