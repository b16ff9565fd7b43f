/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Included before every source of the engine when it is compiled for the simulation: each atomic operation, whatever its
 * memory order, is a point at which its worker may have to stop while others go on. The engine's sources know nothing of
 * it. There is one thread, so that the accesses themselves need not be more than plain.
 */
#ifndef BYEPASS_TESTS_SIMULATION_POINTS_H
#define BYEPASS_TESTS_SIMULATION_POINTS_H

#pragma GCC system_header /* no warnings about what a macro cannot avoid */
#include <stdatomic.h>

#include <stdbool.h>

extern unsigned points_left; /* atomic operations until the next stop */
void points_stop(void);

static inline void
points_pass(void)
{
	if (points_left-- == 0)
		points_stop();
}

/* clang-format off */
#define POINTS_VALUE(p) __typeof__((void)0, *(p))

#undef atomic_load
#undef atomic_load_explicit
#define atomic_load_explicit(object, order) __extension__ ({ \
	__auto_type points_p = (object); \
	points_pass(); \
	(POINTS_VALUE(points_p))*points_p; })
#define atomic_load(object) atomic_load_explicit(object, memory_order_seq_cst)

#undef atomic_store
#undef atomic_store_explicit
#define atomic_store_explicit(object, value, order) __extension__ ({ \
	__auto_type points_p = (object); \
	POINTS_VALUE(points_p) points_v = (value); \
	points_pass(); \
	*points_p = points_v; \
	(void)0; })
#define atomic_store(object, value) atomic_store_explicit(object, value, memory_order_seq_cst)

#define POINTS_CHANGE(object, operand, new) __extension__ ({ \
	__auto_type points_p = (object); \
	POINTS_VALUE(points_p) points_v = (POINTS_VALUE(points_p))(operand); \
	points_pass(); \
	POINTS_VALUE(points_p) points_old = *points_p; \
	*points_p = (POINTS_VALUE(points_p))(new); \
	points_old; })

#undef atomic_exchange
#undef atomic_exchange_explicit
#define atomic_exchange_explicit(object, value, order) POINTS_CHANGE(object, value, points_v)
#define atomic_exchange(object, value) atomic_exchange_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#define atomic_fetch_add_explicit(object, value, order) POINTS_CHANGE(object, value, points_old + points_v)
#define atomic_fetch_add(object, value) atomic_fetch_add_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#define atomic_fetch_or_explicit(object, value, order) POINTS_CHANGE(object, value, points_old | points_v)
#define atomic_fetch_or(object, value) atomic_fetch_or_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#define atomic_fetch_and_explicit(object, value, order) POINTS_CHANGE(object, value, points_old & points_v)
#define atomic_fetch_and(object, value) atomic_fetch_and_explicit(object, value, memory_order_seq_cst)

/* A weak one that fails for no reason is the same as one that lost and looks again: the strong one stands for it. */
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure) __extension__ ({ \
	__auto_type points_p = (object); \
	__auto_type points_e = (expected); \
	POINTS_VALUE(points_p) points_v = (desired); \
	points_pass(); \
	POINTS_VALUE(points_p) points_old = *points_p; \
	bool points_won = points_old == *points_e; \
	if (points_won) \
		*points_p = points_v; \
	else \
		*points_e = points_old; \
	points_won; })
#define atomic_compare_exchange_strong(object, expected, desired) \
	atomic_compare_exchange_strong_explicit(object, expected, desired, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak(object, expected, desired) \
	atomic_compare_exchange_strong(object, expected, desired)
#define atomic_compare_exchange_weak_explicit(object, expected, desired, success, failure) \
	atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure)
/* clang-format on */

/* Anything else would be no point: it must not compile. */
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_flag_test_and_set
#undef atomic_init
#pragma GCC poison atomic_fetch_sub atomic_fetch_sub_explicit atomic_fetch_xor atomic_fetch_xor_explicit
#pragma GCC poison atomic_flag_test_and_set atomic_init

#endif
