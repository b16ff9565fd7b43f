/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Huge pages out of a directory that looks like the kernel's, slab mappings, and what "auto" comes to.
 */
#include "transaction/record.h"
#include "transaction/timers.h"
#include "worker/capacity.h"
#include "worker/hugepages.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>
#include <cmocka.h>

#define PAGE (2ull << 20)

static struct bp_hugepage_pool pool;

static void
set(const char *name, unsigned long value)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", pool.directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%lu\n", value);
	fclose(file);
}

static unsigned long
get(const char *name)
{
	unsigned long value = 0;
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", pool.directory, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &value), 1);
	fclose(file);
	return value;
}

static int
setup(void **state)
{
	memset(&pool, 0, sizeof(pool));
	snprintf(pool.directory, sizeof(pool.directory), "/tmp/byepass-test-XXXXXX");
	pool.page_size = PAGE;
	return mkdtemp(pool.directory) ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"free_hugepages", "nr_hugepages", "resv_hugepages"};
	char path[160];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", pool.directory, names[i]);
		unlink(path);
	}
	return rmdir(pool.directory);
}

static void
test_free_ones_are_taken(void **state)
{
	char error[256] = "";

	set("free_hugepages", 100);
	set("nr_hugepages", 120);
	set("resv_hugepages", 10);
	assert_int_equal(bp_hugepages_free(&pool), 90 * PAGE);
	assert_int_equal(bp_hugepages_acquire(&pool, BP_HUGEPAGES_AUTO, 90 * PAGE, error, sizeof(error)), 0);
	assert_true(pool.use);
	assert_int_equal(pool.added, 0);
	bp_hugepages_release(&pool);
	assert_int_equal(get("nr_hugepages"), 120);
}

/* This kernel takes the number and has no memory for it: free stays as it was, what was asked for is given
 * back. */
static void
test_none_to_be_had(void **state)
{
	char error[256] = "";

	set("free_hugepages", 3);
	set("nr_hugepages", 20);
	assert_int_equal(
		bp_hugepages_acquire(&pool, BP_HUGEPAGES_AUTO, 10 * PAGE + 1, error, sizeof(error)), 0);
	assert_false(pool.use);
	assert_int_equal(pool.added, 0);
	assert_int_equal(get("nr_hugepages"), 20);
	assert_non_null(strstr(error, "20 MiB of huge pages are wanted, 6 MiB are free, more cannot be had"));
	assert_int_equal(
		bp_hugepages_acquire(&pool, BP_HUGEPAGES_ON, 10 * PAGE, error, sizeof(error)), -ENOMEM);
	assert_false(pool.use);
}

/* AUTO does not help itself to gigabytes; ON is an order. */
static void
test_much_is_not_asked_for(void **state)
{
	char error[256] = "";

	set("free_hugepages", 1);
	set("nr_hugepages", 1);
	assert_int_equal(bp_hugepages_acquire(
				 &pool, BP_HUGEPAGES_AUTO, BP_HUGEPAGES_ASK + 2 * PAGE, error, sizeof(error)),
		0);
	assert_false(pool.use);
	assert_non_null(strstr(error, "so many are not taken unasked"));
	assert_int_equal(bp_hugepages_acquire(
				 &pool, BP_HUGEPAGES_ON, BP_HUGEPAGES_ASK + 2 * PAGE, error, sizeof(error)),
		-ENOMEM);
	assert_non_null(strstr(error, "more cannot be had"));
}

static void
test_off_and_no_kernel_support(void **state)
{
	char error[256] = "";

	set("free_hugepages", 1000);
	set("nr_hugepages", 1000);
	assert_int_equal(bp_hugepages_acquire(&pool, BP_HUGEPAGES_OFF, PAGE, error, sizeof(error)), 0);
	assert_false(pool.use);
	pool.page_size = 0;
	assert_int_equal(bp_hugepages_free(&pool), 0);
	assert_int_equal(bp_hugepages_acquire(&pool, BP_HUGEPAGES_AUTO, PAGE, error, sizeof(error)), 0);
	assert_false(pool.use);
	assert_int_equal(bp_hugepages_acquire(&pool, BP_HUGEPAGES_ON, PAGE, error, sizeof(error)), -ENOMEM);
}

static void
test_added_are_given_back(void **state)
{
	set("nr_hugepages", 50);
	pool.added = 20;
	bp_hugepages_release(&pool);
	assert_int_equal(get("nr_hugepages"), 30);
	assert_int_equal(pool.added, 0);
	bp_hugepages_release(&pool);
	assert_int_equal(get("nr_hugepages"), 30);
}

/* Larger than any machine has huge pages for: falls back to plain memory, zeroed, and unmaps again. */
static void
test_slabs_fall_back(void **state)
{
	unsigned char *memory;

	pool.slabs = true;
	bp_hugepages_map_from(&pool);
	memory = bp_hugepages_map((16ull << 40) + 1);
	if (memory) { /* overcommit may forbid it */
		assert_int_equal(bp_hugepages_plain_mappings(), 1);
		assert_int_equal(memory[0] | memory[16ull << 40], 0);
		memory[16ull << 40] = 1;
		bp_hugepages_unmap(memory, (16ull << 40) + 1);
	}
	bp_hugepages_map_from(NULL);
	memory = bp_hugepages_map(5000);
	assert_non_null(memory);
	assert_int_equal(bp_hugepages_plain_mappings(), 0);
	memory[4999] = 1;
	bp_hugepages_unmap(memory, 5000);
	bp_hugepages_unmap(NULL, 5000);
}

static void
test_capacity(void **state)
{
	const uint64_t GB = 1ull << 30;
	struct bp_config_capacity wanted = {0};
	struct bp_capacity plan;

	bp_capacity_plan(&plan, &wanted, 0, 64 * GB);
	assert_int_equal(plan.transactions, BP_CAPACITY_MODEST);
	assert_int_equal(plan.dialogs, BP_CAPACITY_MODEST);
	assert_int_equal(plan.kept_bytes,
		(uint64_t)BP_CAPACITY_MODEST * (BP_CAPACITY_KEPT + BP_CAPACITY_DIALOG_KEPT));

	bp_capacity_plan(&plan, &wanted, 0, GB); /* a small machine: a quarter of it */
	assert_true(plan.transactions < BP_CAPACITY_MODEST && plan.transactions > BP_CAPACITY_LEAST);
	assert_true(plan.bytes <= GB / 4);

	bp_capacity_plan(&plan, &wanted, 0, 0);
	assert_int_equal(plan.transactions, BP_CAPACITY_LEAST);

	bp_capacity_plan(&plan, &wanted, 4 * GB, 60 * GB); /* what was reserved is used, */
	assert_true(plan.bytes <= 4 * GB && plan.bytes > 4 * GB - 4096);
	bp_capacity_plan(&plan, &wanted, 40 * GB, 24 * GB); /* but no more than a quarter of all */
	assert_true(plan.bytes <= 16 * GB && plan.bytes > 16 * GB - 4096);
	bp_capacity_plan(&plan, &wanted, 4096 * GB, 4096 * GB);
	assert_int_equal(plan.transactions, BP_CAPACITY_MOST);

	wanted.transactions = 1000;
	bp_capacity_plan(&plan, &wanted, 4 * GB, 60 * GB);
	assert_int_equal(plan.transactions, 1000);
	assert_int_equal(plan.dialogs, 1000);
	wanted.dialogs = 77;
	bp_capacity_plan(&plan, &wanted, 4 * GB, 60 * GB);
	assert_int_equal(plan.transactions, 1000);
	assert_int_equal(plan.dialogs, 77);
	wanted.transactions = 0;
	bp_capacity_plan(&plan, &wanted, 0, 64 * GB);
	assert_int_equal(plan.transactions, BP_CAPACITY_MODEST);
	assert_int_equal(plan.dialogs, 77);
	assert_int_equal(plan.used_bytes, plan.bytes);
	wanted = (struct bp_config_capacity){.transactions = 64000000, .dialogs = 1000000, .kept = 100};
	bp_capacity_plan(&plan, &wanted, 0, 64 * GB);
	assert_int_equal(plan.kept_bytes, 64000000ull * 100 + 1000000ull * BP_CAPACITY_DIALOG_KEPT);
	assert_int_equal(plan.bytes - plan.used_bytes, 64000000ull * 272); /* sixteen of eighteen timer entries */
}

/* The figures of capacity.h against what the engine's pools are made of. */
static void
test_figures(void **state)
{
	const size_t timer = (sizeof(struct bp_timer_chunk) + BP_TIMER_CHUNK_ENTRIES - 1) / BP_TIMER_CHUNK_ENTRIES;

	const uint32_t many = 1000000, workers = 1; /* records, dialogs */
	uint32_t chunks = bp_timers_chunks(bp_timers_credit(many, 0, workers), 0, workers);

	assert_int_equal(BP_CAPACITY_RECORD, sizeof(struct bp_record) + 18 * timer);
	assert_in_range((uint64_t)many * (BP_CAPACITY_RECORD - sizeof(struct bp_record)), (uint64_t)chunks * 4096,
		(uint64_t)chunks * 4096 * 107 / 100);
	chunks = bp_timers_chunks(bp_timers_credit(0, many, workers), many, workers);
	assert_int_equal(BP_CAPACITY_DIALOG, 128 + 4 * timer);
	assert_in_range((uint64_t)many * (BP_CAPACITY_DIALOG - 128), (uint64_t)chunks * 4096,
		(uint64_t)chunks * 4096 * 107 / 100);
	assert_int_equal(BP_CAPACITY_BUCKETS, 2 * sizeof(struct cds_lfht_node));
	assert_true(sizeof(struct bp_live) + sizeof(struct bp_branch) + 1536 <= 2 * BP_CAPACITY_KEPT);
}

/* The most that the configuration admits is within the engine's reach, and refused by a small machine. */
static void
test_capacity_has_bounds(void **state)
{
	struct bp_config_capacity wanted = {.transactions = 100000000, .dialogs = 100000000};
	struct bp_capacity plan;
	char error[256] = "";

	bp_capacity_plan(&plan, &wanted, 0, 0);
	assert_true(plan.kept_bytes > 60ull << 30);
	assert_true(plan.kept_bytes + 100000000ull * (BP_CAPACITY_RECORD + BP_CAPACITY_DIALOG) < 128ull << 30);
	assert_int_equal(bp_capacity_check(&plan, 1ull << 30, 256ull << 30, error, sizeof(error)), 0);
	assert_int_equal(bp_capacity_check(&plan, 1ull << 30, 0, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	assert_int_equal(bp_capacity_check(&plan, 1ull << 30, 16ull << 30, error, sizeof(error)), -ENOMEM);
	assert_string_equal(error,
		"capacity: 100000000 transactions and 100000000 dialogs take 137111 MiB, packet buffers 1024 MiB, and "
		"this machine has 16384 MiB");
	assert_int_equal(bp_capacity_check(&plan, 0, plan.bytes, error, sizeof(error)), 0);
	assert_int_equal(bp_capacity_check(&plan, 1, plan.bytes, error, sizeof(error)), -ENOMEM);
	assert_true(bp_machine_memory() >= bp_machine_memory_available());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_free_ones_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_to_be_had, setup, teardown),
		cmocka_unit_test_setup_teardown(test_much_is_not_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_off_and_no_kernel_support, setup, teardown),
		cmocka_unit_test_setup_teardown(test_added_are_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slabs_fall_back, setup, teardown),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_capacity_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
