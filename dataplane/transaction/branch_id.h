/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The branch that the edge puts into its own Via is a capability: record index, generation,
 * branch number and a keyed check. A response finds its record in one memory access;
 * a forged or stale branch fails. RFC 3261 8.1.1.7, 17.1.3. Pure functions.
 */
#ifndef BYEPASS_TRANSACTION_BRANCH_ID_H
#define BYEPASS_TRANSACTION_BRANCH_ID_H

#include "transaction/prf.h"

#include <stdbool.h>
#include <stdint.h>

/* "z9hG4bKbp" index(8) generation(8) branch(1) check(16), hexadecimal digits, lower case. */
#define BP_BRANCH_ID_PREFIX "z9hG4bKbp"
#define BP_BRANCH_ID_SIZE 42
/* Of what is forwarded without a record (16.11): "z9hG4bKbs" hash(16). */
#define BP_BRANCH_ID_STATELESS_PREFIX "z9hG4bKbs"
#define BP_BRANCH_ID_STATELESS_SIZE 25

/* Of a probe; the rest is for proxy/probe.c. */
#define BP_PROBE_PREFIX "z9hG4bKbo"

struct bp_branch_id {
	uint32_t index;
	uint32_t generation;
	uint8_t branch;
};

/* Writes BP_BRANCH_ID_SIZE characters, no NUL. */
void bp_branch_id_write(const struct bp_prf_key *key, struct bp_branch_id id, char *out);

/* False: not one of ours, or its check is wrong. */
bool bp_branch_id_read(const struct bp_prf_key *key, const char *text, unsigned size, struct bp_branch_id *id);

/* What a branch says of itself, its check not looked at. Anybody can write that, so nothing may follow from it but where
 * to look: memory that is asked for ahead (proxy/prefetch.c), a tool's output. */
bool bp_branch_id_open(const char *text, unsigned size, struct bp_branch_id *id);

/* Writes BP_BRANCH_ID_STATELESS_SIZE characters. */
void bp_branch_id_write_stateless(uint64_t hash, char *out);

/* 16 hexadecimal digits, and back. */
void bp_hex_write(uint64_t value, unsigned digits, char *out);
bool bp_hex_read(const char *text, unsigned digits, uint64_t *value);

#endif
