/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The route token: the user part of the edge's Record-Route URI. It names the call and the flow
 * onward, and is signed together with the Call-ID, so that an in-dialog request finds its
 * way by the token alone when the call's memory is gone (restart, another node).
 * RFC 3261 16.6 step 4, 16.12; the idea of a signed flow in a route is RFC 5626's. Pure functions.
 */
#ifndef BYEPASS_DIALOG_ROUTE_TOKEN_H
#define BYEPASS_DIALOG_ROUTE_TOKEN_H

#include "byepass/flow.h"
#include "transaction/digest.h"

enum bp_side { BP_SIDE_CALLER, BP_SIDE_CALLEE };

struct bp_route_token {
	uint8_t key_id;       /* 0..15: which key of the secrets signs */
	uint8_t side;         /* who uses this entry: requests with it on top come from this side */
	uint16_t node;        /* 0..4095 */
	uint32_t epoch;       /* start of the process that made it, seconds */
	uint32_t index;       /* of the call, BP_NO_INDEX: none */
	uint32_t generation;
	struct bp_flow onward; /* towards the other side */
};

/* Packed and in base64url: 42 characters for IPv4, 58 for IPv6. */
#define BP_ROUTE_TOKEN_SIZE_V4 42
#define BP_ROUTE_TOKEN_SIZE_MAX 58

/* What tokens are signed with, made of 16 secret bytes that all nodes share. */
struct bp_route_key {
	struct bp_hash_key mac;
	struct bp_digest_key call;
};
void bp_route_key_make(struct bp_route_key *key, const uint8_t secret[16]);

/* The Call-ID as it goes into the check: the same for all tokens of a message. */
struct bp_route_call {
	uint64_t words[2];
};
struct bp_route_call bp_route_call(const struct bp_route_key *key, const char *call_id, unsigned size);

/* Returns the size written, no NUL. */
unsigned bp_route_token_write(
	const struct bp_route_key *key, const struct bp_route_token *token, struct bp_route_call call, char *out);

/* False: not a token, or not signed with @key for this Call-ID. */
bool bp_route_token_read(const struct bp_route_key *key, const char *text, unsigned size, struct bp_route_call call,
	struct bp_route_token *token);

/* The index in a token, its check not looked at: only to ask for memory. False: it cannot be a token. */
bool bp_route_token_index(const char *text, unsigned size, uint32_t *index);

/* Whether the second token names the same call as the first, of the same size, from the other side. Neither is
 * checked. */
bool bp_route_token_twins(const char *first, const char *second);

/* What a token says of itself, its signature not looked at: for tools, never for a worker. False: not a token. */
bool bp_route_token_open(const char *text, unsigned size, struct bp_route_token *token);

#endif
