/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who knows the code but not the key cannot fill a bucket. A hundred thousand branches are chosen so that under one key,
 * which the attacker guesses or knows, they all fall into a few buckets of the table of transactions. Under that key
 * the chains are bad; under any other they are what chance makes of as many balls in as many bins. The table's own
 * buckets are looked at, hence its source is included here.
 */
#include "transaction/table.c"

#include "transaction/record.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <cmocka.h>

#define NAMES 100000u
#define AIMED_AT 1024u /* buckets, of some 25,000 */
#define KEYS 4u       /* that the attacker does not know */

#define HEAD "z9hG4bK"
#define DIGITS 8
#define BRANCH_SIZE (sizeof(HEAD) - 1 + DIGITS)
#define SENT_BY "198.51.100.66"

static uint32_t names[NAMES]; /* the digits of the chosen branches */
static struct bp_record *records;
static struct bp_table *table;

static void
write_branch(uint32_t name, char out[BRANCH_SIZE + 1])
{
	snprintf(out, BRANCH_SIZE + 1, HEAD "%08x", name);
}

/* What bp_record_identity() makes of a request with this branch; @after_head: the hash with HEAD in it. */
static void
identity_of(const struct bp_hash *after_head, uint32_t name, uint64_t id[2])
{
	static const uint16_t port = 5060;
	struct bp_hash hash = *after_head;
	char digits[DIGITS];

	for (unsigned i = DIGITS; i-- > 0; name >>= 4)
		digits[i] = "0123456789abcdef"[name & 15];
	bp_hash_add(&hash, digits, DIGITS);
	bp_hash_add(&hash, "\0", 1);
	bp_hash_add_folded(&hash, SENT_BY, sizeof(SENT_BY) - 1);
	bp_hash_add(&hash, &port, sizeof(port));
	bp_hash_end(&hash, id);
}

static struct bp_hash
begin(const struct bp_hash_key *key)
{
	struct bp_hash hash;

	bp_hash_begin(&hash, key, 128);
	bp_hash_add(&hash, HEAD, sizeof(HEAD) - 1);
	return hash;
}

/* The real one, of a whole request. */
static void
identity_of_request(const struct bp_hash_key *key, uint32_t name, uint64_t id[2])
{
	static const struct bp_sip_limits limits = {.headers = 100, .vias = 50, .uri = 1000};
	static struct bp_sip_message m;
	char branch[BRANCH_SIZE + 1], text[512];
	int size;

	write_branch(name, branch);
	size = snprintf(text, sizeof(text),
		"INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP " SENT_BY ";branch=%s\r\n"
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		branch);
	assert_int_equal(bp_sip_parse(&m, (const uint8_t *)text, (uint32_t)size, &limits), BP_SIP_FAULT_NONE);
	bp_record_identity(key, &m, id);
}

static void
make_table(void)
{
	struct bp_table_options options = {.entries = NAMES,
		.slots = records,
		.slot_size = sizeof(*records),
		.node_offset = offsetof(struct bp_record, node)};

	assert_int_equal(bp_table_create(&table, &options), 0);
}

/* Branches that fall into the first buckets under @key, as an attacker would look for them. */
static void
choose_names(const struct bp_hash_key *key)
{
	const struct bp_hash after_head = begin(key);
	uint32_t name = 0, found = 0;
	uint64_t id[2];

	for (; found < NAMES; name++) {
		assert_int_not_equal(name, UINT32_MAX);
		identity_of(&after_head, name, id);
		if (bucket_of(table, id) < table->buckets + AIMED_AT)
			names[found++] = name;
	}
}

static unsigned
nodes_in(struct bucket *bucket)
{
	uint64_t word = atomic_load(&bucket->overflow);
	unsigned count = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		count += (uint32_t)atomic_load(&bucket->entries[i]) != 0;
	for (; (uint32_t)word != 0; word = atomic_load(&node_at(table, word)->next))
		count++;
	return count;
}

/* Puts all names into an empty table; returns how many nodes the fullest bucket has. */
static unsigned
longest_chain(const struct bp_hash_key *key)
{
	const struct bp_hash after_head = begin(key);
	unsigned longest = 0, sum = 0, count;

	make_table();
	for (uint32_t i = 0; i < NAMES; i++) {
		identity_of(&after_head, names[i], records[i].node.id);
		records[i].method = BP_METHOD_INVITE;
		assert_ptr_equal(bp_record_add(table, &records[i]), &records[i]);
	}
	for (uint64_t i = 0; i < table->count; i++) {
		count = nodes_in(&table->buckets[i]);
		sum += count;
		longest = count > longest ? count : longest;
	}
	assert_int_equal(sum, NAMES);
	for (uint32_t i = 0; i < NAMES; i += 97)
		assert_ptr_equal(bp_record_find(table, records[i].node.id, BP_METHOD_INVITE), &records[i]);
	bp_table_free(table);
	return longest;
}

/* The least k that chance makes any bin reach with a probability below one in a thousand million: the sum over all bins
 * of a binomial's upper tail. */
static unsigned
reached_by_chance(double balls, double bins)
{
	unsigned k = 0;
	double tail = 1;

	while (tail * bins > 1e-9) {
		k++;
		/* Chernoff: P(X >= k) <= exp(-mean) * (e * mean / k)^k, for k above the mean */
		if (k > balls / bins)
			tail = exp(-balls / bins + k * (1 + log(balls / bins / k)));
	}
	return k;
}

static struct bp_hash_key
random_key(void)
{
	struct bp_hash_key key;

	assert_int_equal(getrandom(&key, sizeof(key), 0), sizeof(key));
	return key;
}

/* The names are aimed with @known; under keys of the system's randomness chance rules. Returns what it can reach. */
static unsigned
attack(const struct bp_hash_key *known)
{
	unsigned bound, chain;
	uint64_t id[2];

	make_table();
	bound = reached_by_chance(NAMES, (double)table->count);
	choose_names(known);
	bp_table_free(table);
	for (uint32_t i = 0; i < NAMES; i += 997) { /* what was aimed is what the edge computes */
		const struct bp_hash after_head = begin(known);
		uint64_t whole[2];

		identity_of(&after_head, names[i], id);
		identity_of_request(known, names[i], whole);
		assert_memory_equal(id, whole, sizeof(id));
	}
	chain = longest_chain(known);
	print_message("known key: longest chain %u, chance would reach %u at most\n", chain, bound);
	assert_in_range(chain, NAMES / AIMED_AT, NAMES);
	assert_true(chain > 3 * bound);
	for (unsigned i = 0; i < KEYS; i++) {
		struct bp_hash_key key = random_key();

		chain = longest_chain(&key);
		print_message("key %016llx%016llx: longest chain %u\n", (unsigned long long)key.k0,
			(unsigned long long)key.k1, chain);
		assert_in_range(chain, 1, bound);
	}
	return bound;
}

/* As if the hash had no secret. A key that differs from what was guessed in one bit is as good as any. */
static void
test_names_aimed_without_a_key(void **state)
{
	static const struct bp_hash_key none;
	unsigned bound = attack(&none);

	for (unsigned bit = 0; bit < 128; bit += 31) {
		struct bp_hash_key key = {bit < 64 ? UINT64_C(1) << bit : 0, bit < 64 ? 0 : UINT64_C(1) << (bit - 64)};

		assert_in_range(longest_chain(&key), 1, bound);
	}
}

/* A key of an earlier start, which leaked. */
static void
test_names_aimed_with_an_old_key(void **state)
{
	struct bp_hash_key old = random_key();

	attack(&old);
}

static int
setup(void **state)
{
	rcu_register_thread();
	records = aligned_alloc(64, NAMES * sizeof(*records));
	if (records == NULL)
		return -1;
	memset(records, 0, NAMES * sizeof(*records));
	return 0;
}

static int
teardown(void **state)
{
	free(records);
	rcu_unregister_thread();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_aimed_without_a_key),
		cmocka_unit_test(test_names_aimed_with_an_old_key),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
