/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fibers: each worker of the simulation has a stack of its own, so that it can be stopped in the middle of
 * an engine's call. One thread; who runs is decided by the world alone.
 */
#ifndef BYEPASS_TESTS_SIMULATION_FIBER_H
#define BYEPASS_TESTS_SIMULATION_FIBER_H

struct fiber;

/* @run is called at the first resume and must never return. */
struct fiber *fiber_create(void (*run)(void *argument), void *argument);
/* May be called on one that stopped in the middle: what it had begun is never finished. */
void fiber_free(struct fiber *fiber);
/* Runs it until it stops. */
void fiber_resume(struct fiber *fiber);
/* Called in the fiber that runs. */
void fiber_stop(struct fiber *fiber);

#endif
