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
#include "transaction/keyed_hash.h"

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
#define BP_ROUTE_TOKEN_SIZE_MAX 58

/* Returns the size written, no NUL. */
unsigned bp_route_token_write(const struct bp_hash_key *key, const struct bp_route_token *token,
	const char *call_id, unsigned call_id_size, char *out);

/* False: not a token, or not signed with @key for this Call-ID. */
bool bp_route_token_read(const struct bp_hash_key *key, const char *text, unsigned size, const char *call_id,
	unsigned call_id_size, struct bp_route_token *token);

/* What a token says of itself, its signature not looked at: for tools, never for a worker. False: not a token. */
bool bp_route_token_open(const char *text, unsigned size, struct bp_route_token *token);

#endif
