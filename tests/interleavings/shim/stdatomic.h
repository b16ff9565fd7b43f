/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stands before the compiler's <stdatomic.h> when the engine is compiled for the explorer: each atomic access first asks
 * the explorer, which may let another coroutine run. Between two accesses a coroutine is never interrupted,
 * and there is only one thread, so that the accesses themselves need not be more than plain.
 */
#ifndef BYEPASS_INTERLEAVINGS_STDATOMIC_H
#define BYEPASS_INTERLEAVINGS_STDATOMIC_H

#pragma GCC system_header /* no warnings about what a macro cannot avoid */
#include_next <stdatomic.h>

#include <stdbool.h>
#include <stdint.h>

enum explorer_kind { EXPLORER_READ, EXPLORER_WRITE, EXPLORER_STORE };

/* The calling coroutine is about to access @place. @value: of a store, which does not look at what was there. */
void explorer_access(const volatile void *place, enum explorer_kind kind, uint64_t value);
/* The access changed nothing: a compare-and-swap failed, or what was written was there. */
void explorer_only_read(void);

/* clang-format off */
#define EXPLORER_VALUE(p) __typeof__((void)0, *(p))

#undef atomic_load
#undef atomic_load_explicit
#define atomic_load_explicit(object, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	explorer_access(explorer_p, EXPLORER_READ, 0); \
	(EXPLORER_VALUE(explorer_p))*explorer_p; })
#define atomic_load(object) atomic_load_explicit(object, memory_order_seq_cst)

#undef atomic_store
#undef atomic_store_explicit
#define atomic_store_explicit(object, value, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	EXPLORER_VALUE(explorer_p) explorer_v = (value); \
	explorer_access(explorer_p, EXPLORER_STORE, (uint64_t)explorer_v); \
	if (*explorer_p == explorer_v) \
		explorer_only_read(); \
	*explorer_p = explorer_v; \
	(void)0; })
#define atomic_store(object, value) atomic_store_explicit(object, value, memory_order_seq_cst)

#undef atomic_exchange
#undef atomic_exchange_explicit
#define atomic_exchange_explicit(object, value, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	EXPLORER_VALUE(explorer_p) explorer_v = (value); \
	explorer_access(explorer_p, EXPLORER_WRITE, 0); \
	EXPLORER_VALUE(explorer_p) explorer_old = *explorer_p; \
	*explorer_p = explorer_v; \
	if (explorer_old == explorer_v) \
		explorer_only_read(); \
	explorer_old; })
#define atomic_exchange(object, value) atomic_exchange_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#define atomic_fetch_add_explicit(object, value, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	explorer_access(explorer_p, EXPLORER_WRITE, 0); \
	EXPLORER_VALUE(explorer_p) explorer_old = *explorer_p; \
	*explorer_p = (EXPLORER_VALUE(explorer_p))(explorer_old + (value)); \
	explorer_old; })
#define atomic_fetch_add(object, value) atomic_fetch_add_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#define atomic_fetch_or_explicit(object, value, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	explorer_access(explorer_p, EXPLORER_WRITE, 0); \
	EXPLORER_VALUE(explorer_p) explorer_old = *explorer_p; \
	EXPLORER_VALUE(explorer_p) explorer_new = explorer_old | (value); \
	*explorer_p = explorer_new; \
	if (explorer_old == explorer_new) \
		explorer_only_read(); \
	explorer_old; })
#define atomic_fetch_or(object, value) atomic_fetch_or_explicit(object, value, memory_order_seq_cst)

#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#define atomic_fetch_and_explicit(object, value, order) __extension__ ({ \
	__auto_type explorer_p = (object); \
	explorer_access(explorer_p, EXPLORER_WRITE, 0); \
	EXPLORER_VALUE(explorer_p) explorer_old = *explorer_p; \
	EXPLORER_VALUE(explorer_p) explorer_new = explorer_old & (value); \
	*explorer_p = explorer_new; \
	if (explorer_old == explorer_new) \
		explorer_only_read(); \
	explorer_old; })
#define atomic_fetch_and(object, value) atomic_fetch_and_explicit(object, value, memory_order_seq_cst)

/* A weak one that fails for no reason is the same as one that lost and looks again: the strong one stands for it. */
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure) __extension__ ({ \
	__auto_type explorer_p = (object); \
	__auto_type explorer_e = (expected); \
	EXPLORER_VALUE(explorer_p) explorer_d = (desired); \
	explorer_access(explorer_p, EXPLORER_WRITE, 0); \
	EXPLORER_VALUE(explorer_p) explorer_old = *explorer_p; \
	bool explorer_won = explorer_old == *explorer_e; \
	if (explorer_won) \
		*explorer_p = explorer_d; \
	else \
		*explorer_e = explorer_old; \
	if (!explorer_won || explorer_old == explorer_d) \
		explorer_only_read(); \
	explorer_won; })
#define atomic_compare_exchange_strong(object, expected, desired) \
	atomic_compare_exchange_strong_explicit(object, expected, desired, memory_order_seq_cst, memory_order_seq_cst)
#define atomic_compare_exchange_weak(object, expected, desired) \
	atomic_compare_exchange_strong(object, expected, desired)
#define atomic_compare_exchange_weak_explicit(object, expected, desired, success, failure) \
	atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure)
/* clang-format on */

/* Anything else would pass the explorer by: it must not compile. */
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_flag_test_and_set
#undef atomic_init
#pragma GCC poison atomic_fetch_sub atomic_fetch_sub_explicit atomic_fetch_xor atomic_fetch_xor_explicit
#pragma GCC poison atomic_flag_test_and_set atomic_init

#endif
