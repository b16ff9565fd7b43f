/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One FIFO of entries per duration, in chunks from the worker's pool.
 */
#include "transaction/timers.h"

void
bp_timers_configure(struct bp_timers *timers, const struct bp_config_timers *config)
{
	for (int i = 0; i <= BP_DURATION_64T1; i++)
		timers->duration_us[BP_DURATION_T1 + i] = config->t1_us << i;
	timers->duration_us[BP_DURATION_T2] = config->t2_us;
	timers->duration_us[BP_DURATION_T4] = config->t4_us;
	timers->duration_us[BP_DURATION_63T1] = 63 * config->t1_us;
}

void
bp_timers_begin(struct bp_timers *timers, struct bp_memory_home *memory, const struct bp_config_timers *config)
{
	*timers = (struct bp_timers){.memory = memory};
	for (int i = 0; i < BP_DURATION_COUNT; i++)
		timers->heads_us[i] = UINT64_MAX;
	bp_timers_configure(timers, config);
}

bool
bp_timers_fill(struct bp_timers *timers)
{
	while (timers->stock_count < BP_TIMER_STOCK) {
		struct bp_timer_chunk *chunk = (struct bp_timer_chunk *)bp_slot_take(timers->memory, BP_POOL_TIMER);

		if (chunk == NULL)
			return false;
		chunk->next = timers->stock;
		timers->stock = chunk;
		timers->stock_count++;
	}
	return true;
}

/* As much as may be, up to a piece more than is wanted. */
static void
borrow(struct bp_timers *timers, unsigned wanted)
{
	_Atomic int64_t *common = bp_memory_timer_credit(timers->memory);
	int64_t left = atomic_load_explicit(common, memory_order_relaxed), most = wanted + BP_TIMER_CREDIT_PIECE, piece;

	do {
		piece = left < most ? left : most;
		if (piece <= 0)
			return;
	} while (!atomic_compare_exchange_weak(common, &left, left - piece));
	timers->credit += (uint32_t)piece;
}

bool
bp_timers_promise(struct bp_timers *timers, unsigned count)
{
	if (!bp_timers_fill(timers) ||
		atomic_load_explicit(bp_memory_timer_credit(timers->memory), memory_order_relaxed) < 0)
		return false;
	if (timers->credit < count)
		borrow(timers, count - timers->credit);
	if (timers->credit < count)
		return false;
	timers->credit -= count;
	return true;
}

void
bp_timers_redeem(struct bp_timers *timers, unsigned count)
{
	timers->credit += count;
	if (timers->credit <= BP_TIMER_CREDIT_IDLE)
		return;
	atomic_fetch_add(bp_memory_timer_credit(timers->memory), (int64_t)timers->credit - BP_TIMER_CREDIT_PIECE);
	timers->credit = BP_TIMER_CREDIT_PIECE;
}

static struct bp_timer_chunk *
take_chunk(struct bp_timers *timers)
{
	struct bp_timer_chunk *chunk = (struct bp_timer_chunk *)bp_slot_take(timers->memory, BP_POOL_TIMER);

	if (chunk == NULL && timers->stock != NULL) {
		chunk = timers->stock;
		timers->stock = chunk->next;
		timers->stock_count--;
	}
	return chunk;
}

/* The second chunk of a FIFO and each further one is paid for, see bp_timers_promise(). */
static void
pay(struct bp_timers *timers, int64_t entries)
{
	atomic_fetch_add(bp_memory_timer_credit(timers->memory), -entries);
}

static bool
append(struct bp_timers *timers, unsigned duration, const struct bp_timer_entry *entry)
{
	struct bp_timer_fifo *fifo = &timers->fifos[duration];

	if (fifo->tail == NULL || fifo->write == BP_TIMER_CHUNK_ENTRIES) {
		struct bp_timer_chunk *chunk = take_chunk(timers);

		if (chunk == NULL)
			return false;
		chunk->next = NULL;
		if (fifo->tail != NULL) {
			fifo->tail->next = chunk;
			pay(timers, BP_TIMER_CHUNK_ENTRIES);
		} else {
			fifo->head = chunk;
		}
		fifo->tail = chunk;
		fifo->write = 0;
	}
	if (timers->heads_us[duration] == UINT64_MAX) {
		timers->heads_us[duration] = entry->deadline_us;
		if (entry->deadline_us < timers->others_us)
			timers->others_us = entry->deadline_us;
	}
	fifo->tail->entries[fifo->write++] = *entry;
	timers->armed++;
	return true;
}

bool
bp_timer_arm(struct bp_timers *timers, unsigned duration, struct bp_timer_entry entry, uint64_t now_us)
{
	entry.deadline_us = (now_us + timers->duration_us[duration]) & ((UINT64_C(1) << 48) - 1);
	return append(timers, duration, &entry);
}

bool
bp_timer_arm_hop(struct bp_timers *timers, uint64_t deadline_us, struct bp_timer_entry entry, uint64_t now_us)
{
	uint64_t left = deadline_us > now_us ? deadline_us - now_us : 0;
	unsigned best = BP_DURATION_T1;

	for (unsigned i = 0; i < BP_DURATION_63T1; i++)
		if (timers->duration_us[i] <= left && timers->duration_us[i] > timers->duration_us[best])
			best = i;
	return bp_timer_arm(timers, best, entry, now_us);
}

static const struct bp_timer_entry *
first(const struct bp_timer_fifo *fifo)
{
	if (fifo->head == NULL || (fifo->head == fifo->tail && fifo->read == fifo->write))
		return NULL;
	return &fifo->head->entries[fifo->read];
}

static void
advance(struct bp_timers *timers, unsigned duration)
{
	struct bp_timer_fifo *fifo = &timers->fifos[duration];
	struct bp_timer_chunk *chunk = fifo->head;
	const struct bp_timer_entry *head;

	timers->armed--;
	if (++fifo->read == BP_TIMER_CHUNK_ENTRIES) {
		fifo->read = 0;
		fifo->head = chunk->next;
		if (fifo->head == NULL)
			fifo->tail = NULL;
		else
			pay(timers, -(int64_t)BP_TIMER_CHUNK_ENTRIES);
		bp_slot_return(timers->memory, &chunk->slot);
	}
	head = first(fifo);
	timers->heads_us[duration] = head ? head->deadline_us : UINT64_MAX;
}

bool
bp_timer_pop(struct bp_timers *timers, uint64_t now_us, struct bp_timer_entry *entry)
{
	/* of equal deadlines the shorter duration first: a retransmission before its time-out. 63*T1 stands last */
	unsigned due = BP_DURATION_COUNT;
	uint64_t earliest = timers->heads_us[timers->popped], others = UINT64_MAX;

	if (earliest < timers->others_us) { /* one FIFO has several in a row */
		due = timers->popped;
	} else {
		earliest = UINT64_MAX;
		for (unsigned i = 0; i < BP_DURATION_COUNT; i++) {
			uint64_t head = timers->heads_us[i];

			if (head < earliest) {
				others = earliest;
				earliest = head;
				due = i;
			} else if (head < others) {
				others = head;
			}
		}
		if (due == BP_DURATION_COUNT)
			return false;
		timers->others_us = others;
		timers->popped = due;
	}
	if (earliest > now_us)
		return false;
	*entry = *first(&timers->fifos[due]);
	advance(timers, due);
	return true;
}

const struct bp_timer_entry *
bp_timer_ahead(const struct bp_timers *timers, unsigned count)
{
	const struct bp_timer_fifo *fifo = &timers->fifos[timers->popped];
	unsigned place = fifo->read + count - 1, end = fifo->head == fifo->tail ? fifo->write : BP_TIMER_CHUNK_ENTRIES;
	const struct bp_timer_chunk *next;

	if (fifo->head == NULL)
		return NULL;
	if (place < end)
		return &fifo->head->entries[place];
	if (fifo->head == fifo->tail)
		return NULL;
	next = fifo->head->next;
	place -= BP_TIMER_CHUNK_ENTRIES;
	return place < (next == fifo->tail ? fifo->write : BP_TIMER_CHUNK_ENTRIES) ? &next->entries[place] : NULL;
}

uint64_t
bp_timer_next(const struct bp_timers *timers)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < BP_DURATION_COUNT; i++)
		if (timers->heads_us[i] < next)
			next = timers->heads_us[i];
	return next;
}

unsigned
bp_timer_doubled(const struct bp_timers *timers, unsigned step, bool to_t2)
{
	unsigned duration = BP_DURATION_T1 + (step < BP_DURATION_64T1 ? step : BP_DURATION_64T1);

	if (to_t2 && timers->duration_us[duration] >= timers->duration_us[BP_DURATION_T2])
		return BP_DURATION_T2;
	return duration;
}

uint64_t
bp_timer_trying_us(const struct bp_timers *timers)
{
	uint64_t interval = timers->duration_us[BP_DURATION_T1], sum = 0;

	while (interval < timers->duration_us[BP_DURATION_T2]) {
		sum += interval;
		interval *= 2;
	}
	return sum;
}

const char *
bp_timer_name(enum bp_timer timer)
{
	static const char *const names[] = {
#define X(letter) #letter,
		BP_TIMERS(X)
#undef X
	};
	return names[timer];
}
