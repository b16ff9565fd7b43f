/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fibers on ucontext. See fiber.h.
 */
#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

/* AddressSanitizer must know on which stack it is. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#include <sanitizer/common_interface_defs.h>
#define LEAVE(fake_stack, stack, size) __sanitizer_start_switch_fiber(fake_stack, stack, size)
#define ENTER(fake_stack, stack, size) __sanitizer_finish_switch_fiber(fake_stack, stack, size)
#else
#define LEAVE(fake_stack, stack, size) ((void)(fake_stack), (void)(stack), (void)(size))
#define ENTER(fake_stack, stack, size) ((void)(fake_stack), (void)(stack), (void)(size))
#endif

#define STACK_SIZE (512 << 10)
#define GUARD_SIZE 4096

struct fiber {
	ucontext_t inside, outside;
	void *fake_inside, *fake_outside; /* AddressSanitizer's */
	const void *outer;                /* stack of who resumes it */
	size_t outer_size;
	uint8_t *stack;
	void (*run)(void *argument);
	void *argument;
};

static void
begin(unsigned high, unsigned low)
{
	struct fiber *fiber = (struct fiber *)((uintptr_t)high << 32 | low);

	ENTER(NULL, &fiber->outer, &fiber->outer_size);
	fiber->run(fiber->argument);
	abort();
}

struct fiber *
fiber_create(void (*run)(void *argument), void *argument)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));
	uintptr_t self = (uintptr_t)fiber;

	fiber->run = run;
	fiber->argument = argument;
	fiber->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fiber->stack == MAP_FAILED || mprotect(fiber->stack, GUARD_SIZE, PROT_NONE) != 0 ||
		getcontext(&fiber->inside) != 0)
		abort();
	fiber->inside.uc_stack.ss_sp = fiber->stack + GUARD_SIZE;
	fiber->inside.uc_stack.ss_size = STACK_SIZE - GUARD_SIZE;
	makecontext(&fiber->inside, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
	return fiber;
}

void
fiber_free(struct fiber *fiber)
{
	if (fiber == NULL)
		return;
	munmap(fiber->stack, STACK_SIZE);
	free(fiber);
}

void
fiber_resume(struct fiber *fiber)
{
	LEAVE(&fiber->fake_outside, fiber->stack + GUARD_SIZE, STACK_SIZE - GUARD_SIZE);
	swapcontext(&fiber->outside, &fiber->inside);
	ENTER(fiber->fake_outside, NULL, NULL);
}

void
fiber_stop(struct fiber *fiber)
{
	LEAVE(&fiber->fake_inside, fiber->outer, fiber->outer_size);
	swapcontext(&fiber->inside, &fiber->outside);
	ENTER(fiber->fake_inside, &fiber->outer, &fiber->outer_size);
}
