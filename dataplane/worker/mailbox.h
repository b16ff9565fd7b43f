/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Commands from control to one worker: a single-producer, single-consumer ring one way, a number the
 * other. Every command has a number, one more than the last; the worker executes them in
 * order and stores (release) the number of the last one that it is done with, so control
 * needs to look at one word only. A command that timed out is still executed later.
 */
#ifndef BYEPASS_WORKER_MAILBOX_H
#define BYEPASS_WORKER_MAILBOX_H

#include "byepass/command.h"

#include <stdbool.h>
#include <stdint.h>

#define BP_MAILBOX_SIZE 64 /* commands under way, less one */

struct rte_ring;

struct bp_mail {
	uint64_t number;
	uint32_t command; /* enum bp_command */
	uint32_t reserved;
	uint64_t argument;
};

struct bp_mailbox {
	struct rte_ring *ring;
	uint64_t posted;                                    /* control: rw */
	uint64_t acknowledged __attribute__((aligned(64))); /* worker: w, control: r */
} __attribute__((aligned(64)));

/* 0 or -ENOMEM. Needs no EAL. Control only, as bp_mailbox_free. */
int bp_mailbox_create(struct bp_mailbox *mailbox);
void bp_mailbox_free(struct bp_mailbox *mailbox);

/* Puts a command in; *@number is for bp_mailbox_wait. 0, or -ENOBUFS when full of commands not yet executed.
 * Thread: control, one at a time. */
int bp_mailbox_post(struct bp_mailbox *mailbox, enum bp_command command, uint64_t *number);

/* The same with an argument, and without a wait to come; half of the room is left to others. 0 or -EAGAIN. */
int bp_mailbox_offer(struct bp_mailbox *mailbox, enum bp_command command, uint64_t argument);

/* Waits until command @number is executed. 0, or -ETIMEDOUT after @timeout_us; 0 asks once. Thread: control.
 */
int bp_mailbox_wait(const struct bp_mailbox *mailbox, uint64_t number, uint64_t timeout_us);

/* The next command, false: none. Thread: the worker, as bp_mailbox_acknowledge. */
bool bp_mailbox_take(struct bp_mailbox *mailbox, struct bp_mail *mail);
void bp_mailbox_acknowledge(struct bp_mailbox *mailbox, const struct bp_mail *mail);

#endif
