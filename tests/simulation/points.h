/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Included before every source of the engine when it is compiled for the simulation: each atomic operation is a
 * point at which its worker may have to stop while others go on. The engine's sources know nothing of it.
 */
#ifndef BYEPASS_TESTS_SIMULATION_POINTS_H
#define BYEPASS_TESTS_SIMULATION_POINTS_H

#include <stdatomic.h>

extern unsigned points_left; /* atomic operations until the next stop */
void points_stop(void);

static inline void
points_pass(void)
{
	if (points_left-- == 0)
		points_stop();
}

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_strong
#define atomic_load(p) (points_pass(), atomic_load_explicit(p, memory_order_seq_cst))
#define atomic_store(p, value) (points_pass(), atomic_store_explicit(p, value, memory_order_seq_cst))
#define atomic_exchange(p, value) (points_pass(), atomic_exchange_explicit(p, value, memory_order_seq_cst))
#define atomic_fetch_add(p, value) (points_pass(), atomic_fetch_add_explicit(p, value, memory_order_seq_cst))
#define atomic_fetch_or(p, value) (points_pass(), atomic_fetch_or_explicit(p, value, memory_order_seq_cst))
#define atomic_fetch_and(p, value) (points_pass(), atomic_fetch_and_explicit(p, value, memory_order_seq_cst))
#define atomic_compare_exchange_weak(p, expected, value) \
	(points_pass(), \
		atomic_compare_exchange_weak_explicit( \
			p, expected, value, memory_order_seq_cst, memory_order_seq_cst))
#define atomic_compare_exchange_strong(p, expected, value) \
	(points_pass(), \
		atomic_compare_exchange_strong_explicit( \
			p, expected, value, memory_order_seq_cst, memory_order_seq_cst))

#endif
