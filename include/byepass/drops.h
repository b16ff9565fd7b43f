/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every reason to drop something, once. A row makes the enum value, the counter,
 * the label of byepass_drops_total and the line of docs/metrics.md.
 *
 * X(name, scope, severity, text)
 *   scope    FRAME: a packet that never became a SIP message
 *            MESSAGE: a SIP message; takes part in the counting law
 *            OUTPUT: something we wanted to send and could not; not an input, not in the law
 *   severity noise (expected on any network), warn (look when it grows), error (ours or the machine's)
 */
#ifndef BYEPASS_DROPS_H
#define BYEPASS_DROPS_H

/* clang-format off */
#define BP_DROPS(X) \
	X(ethernet_foreign, FRAME, noise, "not addressed to this port, or of a type that is not spoken here") \
	X(vlan_unknown, FRAME, noise, "VLAN that no realm uses") \
	X(arp_malformed, FRAME, warn, "ARP packet that makes no sense") \
	X(arp_foreign, FRAME, noise, "ARP for or from an address that does not concern us") \
	X(ip_malformed, FRAME, warn, "bad IP header, length or options") \
	X(ip_checksum, FRAME, warn, "IPv4 header checksum is wrong") \
	X(ip_foreign, FRAME, noise, "destination address is not ours") \
	X(ip_protocol, FRAME, noise, "IP protocol that is not spoken here") \
	X(fragment_malformed, FRAME, warn, "fragment that cannot be part of a datagram") \
	X(fragment_timeout, FRAME, warn, "datagram whose other fragments never came") \
	X(fragment_no_memory, FRAME, warn, "too many datagrams in reassembly, or one too large") \
	X(icmp_malformed, FRAME, warn, "bad ICMP or ICMPv6 message") \
	X(icmp_foreign, FRAME, noise, "ICMP type that is not handled") \
	X(nd_malformed, FRAME, warn, "neighbour discovery message that RFC 4861 tells to discard") \
	X(udp_malformed, FRAME, warn, "bad UDP length, or source port 0") \
	X(udp_checksum, FRAME, warn, "UDP checksum is wrong") \
	X(udp_port_closed, FRAME, noise, "no listener on this UDP port") \
	X(rx_linearize, FRAME, error, "no buffer to make a scattered packet linear") \
	X(message_too_large, MESSAGE, warn, "longer than limits.message") \
	X(response_malformed, MESSAGE, warn, "response that the grammar refuses") \
	X(request_malformed, MESSAGE, warn, "request too broken to be answered") \
	X(ack_malformed, MESSAGE, warn, "ACK that cannot be used; an ACK is never answered") \
	X(ack_unmatched, MESSAGE, noise, "ACK that belongs to no transaction and no dialog") \
	X(ack_rejected, MESSAGE, noise, "ACK that would have been refused, had it been another request") \
	X(response_no_via, MESSAGE, noise, "response whose top Via is not ours") \
	X(response_forged_branch, MESSAGE, warn, "response whose branch does not carry our signature") \
	X(response_stale_branch, MESSAGE, noise, "response to a transaction that is over") \
	X(response_method_mismatch, MESSAGE, warn, "response whose CSeq method is not the transaction's (RFC 3261 17.1.3)") \
	X(response_unexpected, MESSAGE, noise, "response that its state does not expect (RFC 6026 7.3)") \
	X(response_stray_ack, MESSAGE, noise, "response to an ACK") \
	X(request_unexpected, MESSAGE, noise, "request that its state does not expect") \
	X(too_large_to_forward, MESSAGE, warn, "message that would exceed 65,507 bytes once edited") \
	X(tx_no_buffer, OUTPUT, error, "no transmit buffer; the retransmission will repair it") \
	X(tx_queue_full, OUTPUT, warn, "the device's transmit queue was full") \
	X(tx_neighbour_unresolved, OUTPUT, warn, "next hop did not answer ARP or neighbour discovery") \
	X(tx_neighbour_full, OUTPUT, warn, "too many packets wait for one neighbour, or neighbour table full") \
	X(tx_no_route, OUTPUT, warn, "no gateway and the destination is not on-link") \
	X(tx_too_large, OUTPUT, warn, "message that not even fragments can carry") \
	X(timer_no_memory, OUTPUT, error, "no memory for a timer; a record or dialog may stay for ever") \
	X(response_not_kept, OUTPUT, error, "no memory to keep a response that was sent, so it cannot be repeated") \
	X(ack_not_sent, OUTPUT, error, "the request that an ACK or CANCEL is made from is gone") \
	X(call_not_kept, OUTPUT, warn, "no memory for a dialog; its requests go by their route token alone") \
	X(trace_ring_full, OUTPUT, noise, "trace event that control was too slow to take") \
	X(ip_source, FRAME, noise, "source address that no other host can have: multicast, loopback, our own") \
	X(fragment_duplicate, FRAME, noise, "fragment that is here already") \
	X(icmp_limited, FRAME, noise, "echo request over the rate limit") \
	X(nd_foreign, FRAME, noise, "neighbour discovery for or from an address that does not concern us") \
	X(tx_icmp_limited, OUTPUT, noise, "ICMP error that was not sent: over the rate limit") \
	X(tx_refused, OUTPUT, error, "packet that the device cannot send") \
	X(handover_full, FRAME, error, "handed to another worker (workers.spread), which does not keep up") \
	X(branch_not_made, OUTPUT, error, "no memory to send the request to another target; those that it went to decide") \
	X(bye_not_made, OUTPUT, warn, "no memory for the edge's own BYE, or the dialog's names are too long to be kept") \
	X(cdr_no_memory, OUTPUT, error, "no memory for a call detail record, which is lost; the call goes on")
/* clang-format on */

enum bp_drop_scope { BP_DROP_SCOPE_FRAME, BP_DROP_SCOPE_MESSAGE, BP_DROP_SCOPE_OUTPUT };

enum bp_drop {
#define X(name, scope, severity, text) BP_DROP_##name,
	BP_DROPS(X)
#undef X
	BP_DROP_COUNT,
};

#endif
