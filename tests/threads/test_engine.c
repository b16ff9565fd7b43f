/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine under real threads, each a worker of one edge. Every request reaches two workers at once, responses and
 * CANCELs go to any and half of them to two, some messages are lost, timers run into all of it, and the configuration is
 * swapped under way. The work is bounded by the number of calls; time is virtual, and moves on when every worker has
 * turned its loop.
 */
#include "callers.h"
#include "post.h"

#include "proxy/context.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#define CALLS 2000u
#define RECORDS 8192u
#define DIALOGS 4096u
#define RELOADS 10u
#define STEP_US (T1 / 8) /* of the clock */
#define LETTERS 8        /* of one turn */
#define TIMERS 64
#define BACKLOG 256      /* letters that wait: no new calls, and time stands still */
#define SPINS 200        /* until the other worker has come to the same call */

struct worker {
	pthread_t id;
	unsigned number;
	struct bp_engine *engine;
	struct bp_counters counters;
	struct caller caller;
	uint64_t received;
	unsigned next_call;
	struct bp_flow to;
	uint32_t reserved;
	uint8_t buffer[65536];
	_Atomic uint64_t turns __attribute__((aligned(64)));
	_Atomic uint64_t next_us; /* timer */
	_Atomic uint32_t reached; /* call */
};

static struct worker workers[THREADS_MAX];
static struct crowd crowd;
static struct bp_edge *edge;
static _Atomic uint64_t clock_us;
static _Atomic bool over;

/* ---- the edge ---- */

static void *
map_pools(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap_pools(void *memory, size_t size)
{
	munmap(memory, size);
}

/* Nobody may look at kept memory any more; records and dialogs keep their words. */
static void
spoil_one(void *context, struct bp_slot *slot)
{
	if (slot->pool >= BP_POOL_KEPT)
		memset(slot + 1, 0xdb, bp_slot_size(context, slot) - sizeof(*slot));
}

static void
spoil(const struct bp_batch *batch)
{
	bp_batch_each(batch, spoil_one, batch->memory);
}

static struct bp_config *
make_config(uint64_t generation)
{
	struct bp_config *config = world_config(false);

	config->generation = generation;
	config->dialog_us = SECONDS(200);
	config->workers.count = (uint16_t)crowd.threads;
	if (crowd.search == ONLY_BOB)
		return config;
	world_config_two_targets(config, 1, crowd.search == BOTH_AT_ONCE ? 1 : 2);
	config->trunks[0].parallel = crowd.search == BOTH_AT_ONCE;
	config->trunks[0].timeout_us = SECONDS(2);
	return config;
}

static uint8_t *
reserve(void *context, const struct bp_flow *to, uint32_t size)
{
	struct worker *worker = context;

	worker->to = *to;
	worker->reserved = size;
	return worker->buffer;
}

static void
send_message(void *context, const struct bp_flow *to, uint32_t size)
{
	struct worker *worker = context;

	if (size > worker->reserved || !bp_flow_equal(to, &worker->to))
		abort();
	call_arrived(&worker->caller, to, (const char *)worker->buffer, size);
}

static void
begin(enum search search, unsigned threads, struct bp_config **config)
{
	struct bp_edge_options options = {.workers = (uint16_t)threads,
		.transactions = RECORDS,
		.dialogs = DIALOGS,
		.kept_bytes = 32 << 20,
		.map = map_pools,
		.unmap = unmap_pools,
		.seed = "thirty-two bytes, not random",
		.epoch = 1700000000};

	memset(workers, 0, sizeof(workers));
	memset(&crowd, 0, sizeof(crowd));
	crowd.search = search;
	crowd.threads = threads;
	crowd.books = calloc(CALLS, sizeof(*crowd.books));
	atomic_store(&clock_us, SECONDS(1000));
	atomic_store(&over, false);
	*config = make_config(1);
	post_begin();
	grace_begin(spoil);
	assert_int_equal(bp_edge_create(&edge, *config, &options), 0);
	for (unsigned i = 0; i < threads; i++) {
		struct worker *worker = &workers[i];
		struct bp_engine_hooks hooks = {
			.context = worker, .reserve = reserve, .send = send_message, .defer = grace_defer};

		worker->number = i;
		worker->caller = (struct caller){.crowd = &crowd, .thread = i, .random = 100 + i};
		assert_int_equal(bp_engine_create(&worker->engine, edge, (uint16_t)i, &hooks, &worker->counters), 0);
	}
}

/* ---- a worker ---- */

static uint64_t
now(void)
{
	return atomic_load_explicit(&clock_us, memory_order_relaxed);
}

static void
receive(struct worker *worker, enum who who, const char *bytes, size_t size)
{
	struct bp_flow flow = peer_flow(crowd_peers[who]);

	worker->received++;
	bp_engine_receive(worker->engine, &flow, (const uint8_t *)bytes, (uint32_t)size, now());
}

/* Two workers get the first request of a call, as nearly at the same moment as can be. */
static void
begin_call(struct worker *worker)
{
	unsigned call = worker->next_call++, first = call % crowd.threads, second = (call + 1) % crowd.threads;
	struct worker *other = &workers[worker->number == first ? second : first];
	char bytes[LETTER_MAX];
	size_t size;

	atomic_store_explicit(&worker->reached, call + 1, memory_order_relaxed);
	if (worker->number != first && worker->number != second)
		return;
	size = call_request(call, bytes, sizeof(bytes));
	for (unsigned i = 0; i < SPINS && atomic_load_explicit(&other->reached, memory_order_relaxed) <= call; i++)
		if (i % 16 == 15)
			sched_yield();
	receive(worker, ALICE, bytes, size);
	if (call_kind(call) == KIND_EARLY && worker->number == first)
		call_cancel_early(&worker->caller, call);
}

/* Nobody runs away: a call is begun when all have come near it. */
static bool
may_begin(const struct worker *worker)
{
	if (worker->next_call == CALLS || post_waiting(worker->number) > BACKLOG)
		return false;
	for (unsigned i = 0; i < crowd.threads; i++)
		if (atomic_load_explicit(&workers[i].reached, memory_order_relaxed) + 2 < worker->next_call)
			return false;
	return true;
}

static void
turn(struct worker *worker)
{
	static __thread struct letter letter;
	uint64_t next_us;

	if (may_begin(worker))
		begin_call(worker);
	for (unsigned i = 0; i < LETTERS && post_take(worker->number, &letter); i++) {
		letter_wait(&crowd, letter.from);
		receive(worker, letter_who(letter.from), letter.bytes, letter.size);
	}
	next_us = bp_engine_expire(worker->engine, now(), TIMERS);
	atomic_store_explicit(&worker->next_us, next_us, memory_order_relaxed);
	if (atomic_load_explicit(&worker->turns, memory_order_relaxed) % 8 == 0)
		bp_engine_flush(worker->engine);
	grace_quiescent(worker->number);
	atomic_fetch_add_explicit(&worker->turns, 1, memory_order_relaxed);
}

/* Worker 0 moves the clock when all have had a turn: by a step, or, when nothing else is left to do, to the next timer. */
static void
move_clock(uint64_t turns[THREADS_MAX])
{
	uint64_t next_us = UINT64_MAX, now_us = now();
	bool quiet = true;

	for (unsigned i = 0; i < crowd.threads; i++) {
		uint64_t its = atomic_load_explicit(&workers[i].next_us, memory_order_relaxed);
		unsigned waiting = post_waiting(i);

		if (atomic_load_explicit(&workers[i].turns, memory_order_relaxed) < turns[i] + 2 || waiting > BACKLOG)
			return;
		quiet &= waiting == 0 && atomic_load_explicit(&workers[i].reached, memory_order_relaxed) == CALLS;
		next_us = its < next_us ? its : next_us;
	}
	for (unsigned i = 0; i < crowd.threads; i++)
		turns[i] = atomic_load_explicit(&workers[i].turns, memory_order_relaxed);
	if (quiet && next_us == UINT64_MAX)
		atomic_store_explicit(&over, true, memory_order_relaxed);
	else if (quiet && next_us > now_us + STEP_US)
		atomic_store_explicit(&clock_us, next_us, memory_order_relaxed);
	else
		atomic_store_explicit(&clock_us, now_us + STEP_US, memory_order_relaxed);
}

static void *
work(void *argument)
{
	struct worker *worker = argument;
	uint64_t turns[THREADS_MAX] = {0};

	grace_join(worker->number);
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		turn(worker);
		if (worker->number == 0)
			move_clock(turns);
		if (post_waiting(worker->number) == 0)
			sched_yield();
	}
	bp_engine_flush(worker->engine);
	grace_leave(worker->number);
	return NULL;
}

/* A new snapshot every tenth of the way, the old one freed after a grace period. */
static struct bp_config *
reload(struct bp_config *config)
{
	for (unsigned i = 1; i <= RELOADS; i++) {
		struct bp_config *next = make_config(i + 1);

		while (atomic_load_explicit(&workers[0].reached, memory_order_relaxed) < CALLS * i / (RELOADS + 1))
			usleep(1000);
		assert_ptr_equal(bp_edge_configure(edge, next), config);
		grace_wait();
		world_config_free(config);
		config = next;
	}
	return config;
}

/* ---- what must hold ---- */

static void
check_law(const struct bp_counters *sum, uint64_t received)
{
	static const uint8_t scope[BP_DROP_COUNT] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
		BP_DROPS(X)
#undef X
	};
	uint64_t accounted = sum->forwarded + sum->answered + sum->absorbed;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		if (scope[i] == BP_DROP_SCOPE_MESSAGE)
			accounted += sum->drops[i];
	assert_int_equal(sum->messages_received, received);
	assert_int_equal(accounted, received);
}

static void
check_memory(const struct bp_counters *sum)
{
	int64_t credit = *bp_memory_timer_credit(workers[0].engine->memory);
	uint64_t ended = 0;

	for (unsigned i = 0; i < crowd.threads; i++)
		credit += workers[i].engine->timers.credit;
	assert_int_equal(credit, bp_timers_credit(RECORDS, DIALOGS, (uint16_t)crowd.threads));
	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		ended += sum->dialogs_ended[i];
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		assert_int_equal(sum->transactions_created[i], sum->transactions_ended[i]);
	assert_int_equal(sum->dialogs_created, ended);
	assert_int_equal(sum->calls_reserved, sum->calls_released);
	assert_int_equal(sum->kept_taken, sum->kept_returned);
	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++) {
		if (i != BP_POOL_KIND_timer) /* each FIFO keeps its last chunk */
			assert_int_equal(sum->pool_taken_bytes[i], sum->pool_returned_bytes[i]);
		assert_int_equal(sum->pool_dry[i], 0);
	}
	for (unsigned i = 0; i < BP_MACHINE_COUNT; i++)
		for (unsigned j = 0; j < BP_STATES_MAX; j++)
			assert_int_equal(sum->states_entered[i][j], sum->states_left[i][j]);
}

/* Every request has its answer, of one class; each became one record, whichever worker was first. */
static void
check_books(const struct bp_counters *sum)
{
	uint64_t invites = 0, messages = 0, ok = 0, failed = 0;

	for (unsigned i = 0; i < CALLS; i++) {
		const struct book *book = &crowd.books[i];
		bool message = call_kind(i) == KIND_MESSAGE;

		invites += !message;
		messages += message;
		ok += book->ok > 0;
		failed += book->final > 0;
		if (book->ok > 0 && book->final > 0)
			fail_msg("call %u: a 2xx and %u", i, book->final);
		if (book->ok == 0 && book->final == 0)
			fail_msg("call %u of kind %d: no final response", i, (int)call_kind(i));
	}
	assert_int_equal(sum->transactions_created[BP_KIND_INVITE], invites);
	assert_in_range(sum->transactions_created[BP_KIND_NON_INVITE], messages, messages + 2 * ok);
	print_message("%u calls: %llu answered, %llu not; CANCEL: %llu matched, %llu before 1xx, %llu lost to the 2xx, "
		"%llu late, %llu unmatched\n",
		CALLS, (unsigned long long)ok, (unsigned long long)failed,
		(unsigned long long)sum->cancel_outcomes[BP_CANCEL_matched],
		(unsigned long long)sum->cancel_outcomes[BP_CANCEL_before_1xx],
		(unsigned long long)sum->cancel_outcomes[BP_CANCEL_lost_to_2xx],
		(unsigned long long)sum->cancel_outcomes[BP_CANCEL_late],
		(unsigned long long)sum->cancel_outcomes[BP_CANCEL_unmatched]);
}

static void
finish(struct bp_config *config)
{
	struct bp_counters sum = {0};
	uint64_t received = 0;

	for (unsigned i = 0; i < crowd.threads; i++) {
		received += workers[i].received;
		for (size_t j = 0; j < sizeof(sum) / sizeof(uint64_t); j++)
			((uint64_t *)&sum)[j] += ((const uint64_t *)&workers[i].counters)[j];
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < crowd.threads; i++)
			bp_engine_flush(workers[i].engine);
		grace_settle();
	}
	grace_end();
	print_message("%llu messages, %llu sent again by timers, %llu dialogs; ", (unsigned long long)received,
		(unsigned long long)(sum.retransmissions[BP_OUT][BP_METHOD_INVITE] +
			sum.retransmissions[BP_OUT][BP_METHOD_BYE] + sum.retransmissions[BP_OUT][BP_METHOD_CANCEL] +
			sum.retransmissions[BP_OUT][BP_METHOD_MESSAGE]),
		(unsigned long long)sum.dialogs_created);
	if (crowd.wrong != NULL)
		fail_msg("%s", crowd.wrong);
	check_law(&sum, received);
	check_books(&sum);
	check_memory(&sum);
	for (unsigned i = 0; i < crowd.threads; i++)
		bp_engine_free(workers[i].engine);
	bp_edge_free(edge);
	world_config_free(config);
	post_end();
	free(crowd.books);
}

static void
run(enum search search, unsigned threads)
{
	struct bp_config *config;

	begin(search, threads, &config);
	for (unsigned i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
	config = reload(config);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].id, NULL);
	finish(config);
}

static void
two_workers(void **state)
{
	run(ONLY_BOB, 2);
}

static void
four_workers(void **state)
{
	run(ONLY_BOB, 4);
}

static void
two_workers_that_fork(void **state)
{
	run(BOTH_AT_ONCE, 2);
}

static void
three_workers_that_search(void **state)
{
	run(BOB_THEN_CAROL, 3);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workers),
		cmocka_unit_test(four_workers),
		cmocka_unit_test(two_workers_that_fork),
		cmocka_unit_test(three_workers_that_search),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
