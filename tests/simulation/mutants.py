# SPDX-License-Identifier: BSD-3-Clause
"""Deliberately broken variants of the engine, to show that the simulation sees them.

Each is one replacement in one source file: the old text must stand there exactly once. What is needed of an
engine can be read off here: take it away, and some rule in witness*.c or verdict.c breaks.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str  # below dataplane/
    old: str
    new: str
    breaks: str


MUTANTS = [
    # ---- CANCEL ----
    Mutant(
        "cancel-not-held",
        "transaction/record.c",
        "BP_WORD_GET(word, STATE) == proceeding &&\n\t\tBP_WORD_GET(word, CANCEL) == CANCEL_NONE) {",
        "BP_WORD_GET(word, STATE) <= proceeding &&\n\t\tBP_WORD_GET(word, CANCEL) == CANCEL_NONE) {",
        "the CANCEL goes out before the first 1xx (RFC 3261 9.1)",
    ),
    Mutant(
        "cancel-bit-unread",
        "proxy/response.c",
        "\tbp_cancel_if_asked(engine, record, id.generation, id.branch);\n\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "a 1xx after the CANCEL does not look whether a CANCEL was asked",
    ),
    Mutant(
        "cancel-never-repeated",
        "proxy/cancel.c",
        "\t\tbp_arm(engine, BP_DURATION_T1, bp_entry(engine, record, generation, branch, BP_TIMER_CANCEL_E));\n",
        "\t\t(void)0;\n",
        "timer E of the CANCEL is missing: one lost CANCEL leaves the callee ringing",
    ),
    Mutant(
        "double-487",
        "proxy/upstream.c",
        "\tverdict = pass(engine, record, m, bp_record_is_invite(record) ? KEEP_WHOLE : KEEP_REPLY);\n",
        "\tverdict = pass(engine, record, m, bp_record_is_invite(record) ? KEEP_WHOLE : KEEP_REPLY);\n"
        "\tif (m->status == 487 && (m = make_own(engine, record, branch, 487)) != NULL)\n"
        "\t\tpass(engine, record, m, KEEP_NOT);\n",
        "a 487 of the edge's own beside that of the callee",
    ),
    Mutant(
        "487-too-soon",
        "proxy/cancel.c",
        "\tbp_answer(engine, request, 200, NULL);\n\tbp_arm_linger(",
        "\tbp_answer(engine, request, 200, NULL);\n"
        "\tif (bp_record_is_invite(record))\n"
        "\t\tbp_upstream_own(engine, record, generation, 0, 487);\n"
        "\tbp_arm_linger(",
        "the INVITE is answered as soon as the CANCEL is there, whatever the branches do",
    ),
    Mutant(
        "losers-ring-on",
        "proxy/cancel.c",
        "\tif (atomic_load(&record->branch_count) == 1)\n\t\treturn;\n\tbp_server_stop(",
        "\tif (atomic_load(&record->branch_count) > 0)\n\t\treturn;\n\tbp_server_stop(",
        "a 2xx on one branch does not cancel the others (RFC 3261 16.7 step 10)",
    ),
    Mutant(
        "abandoned-rings-on",
        "proxy/cancel.c",
        "\tif (asked || (place != NULL && (atomic_load(place) & BP_WORD_ABANDONED) != 0))",
        "\tif (asked && place != NULL)",
        "who wakes up after the next target was tried is not told to stop",
    ),
    # ---- 2xx ----
    Mutant(
        "2xx-dropped-after-cancel",
        "proxy/upstream.c",
        "\tif (swap.action != BP_DO_SEND)\n\t\treturn BP_DROP_response_unexpected;\n"
        "\tif (BP_WORD_GET(swap.before, STATE) == BP_IST_PROCEEDING) {",
        "\tif (swap.action != BP_DO_SEND || (swap.before & BP_WORD_CANCEL_ASKED) != 0)\n"
        "\t\treturn BP_DROP_response_unexpected;\n"
        "\tif (BP_WORD_GET(swap.before, STATE) == BP_IST_PROCEEDING) {",
        "a 2xx that crosses the CANCEL is lost (RFC 3261 16.7 step 5)",
    ),
    Mutant(
        "2xx-repetition-absorbed",
        "transaction/ict.c",
        "[BP_ICT_ON_2XX] = TO(ACCEPTED, PASS),\n\t\t[BP_ICT_ON_3XX_6XX] = TO(ACCEPTED, DROP)",
        "[BP_ICT_ON_2XX] = TO(ACCEPTED, ABSORB),\n\t\t[BP_ICT_ON_3XX_6XX] = TO(ACCEPTED, DROP)",
        "only the first 2xx goes up (RFC 6026 7.2)",
    ),
    Mutant(
        "accepted-forgotten",
        "transaction/record.c",
        "\tdefault:\n\t\treturn record_of(node)->method == method;",
        "\tdefault:\n"
        "\t\treturn record_of(node)->method == method &&\n"
        "\t\t\t(method != BP_METHOD_INVITE ||\n"
        "\t\t\t\tBP_WORD_GET(atomic_load(&record_of(node)->server), STATE) != BP_IST_ACCEPTED);",
        "an INVITE repeated in Accepted is forwarded as a new one (RFC 6026 7.1)",
    ),
    # ---- ACK and repetitions ----
    Mutant(
        "ack-for-refusal-forgotten",
        "proxy/response.c",
        "\tsend_ack(engine, m, record, id.branch);\n\tif (!is_abandoned(swap->after)) {",
        "\tif (!is_abandoned(swap->after)) {",
        "a 487 from downstream is not acknowledged",
    ),
    Mutant(
        "ack-for-refusal-forwarded",
        "transaction/ist.c",
        "[BP_IST_ON_ACK] = TO(CONFIRMED, ABSORB),\n\t\t[BP_IST_ON_TU_1XX] = TO(COMPLETED, DROP)",
        "[BP_IST_ON_ACK] = TO(CONFIRMED, PASS_REQUEST),\n\t\t[BP_IST_ON_TU_1XX] = TO(COMPLETED, DROP)",
        "the ACK of a refusal does not end at the edge",
    ),
    Mutant(
        "ack-stops-nothing",
        "proxy/ack.c",
        "bp_step_server(engine, record, generation, BP_IST_ON_ACK, 0, 0);",
        "{.action = generation == bp_word_generation(atomic_load(&record->server)) ? BP_DO_ABSORB : BP_DO_DROP};",
        "timer G goes on after the ACK",
    ),
    Mutant(
        "timer-a-goes-on",
        "transaction/ict.c",
        "[BP_ICT_ON_TIMER_A] = TO(PROCEEDING, IGNORE)",
        "[BP_ICT_ON_TIMER_A] = TO(PROCEEDING, REPEAT_REQUEST)",
        "the INVITE is repeated after a 1xx",
    ),
    Mutant(
        "timer-j-cut",
        "proxy/upstream.c",
        "bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_64T1,\n"
        "\t\t\tbp_entry(engine, record, generation, 0, BP_TIMER_J));",
        "bp_arm_linger(engine, record->upstream.reliable, BP_DURATION_T1,\n"
        "\t\t\tbp_entry(engine, record, generation, 0, BP_TIMER_J));",
        "a non-INVITE repeated after its response is forwarded again",
    ),
    Mutant(
        "timer-c-not-refreshed",
        "proxy/response.c",
        "\t\tif (live != NULL)\n\t\t\tatomic_store(&live->branches[id.branch].deadline_us,",
        "\t\tif (live == NULL)\n\t\t\tatomic_store(&live->branches[id.branch].deadline_us,",
        "a callee that goes on ringing is cancelled after 3 minutes",
    ),
    # ---- records and memory ----
    Mutant(
        "record-ended-too-early",
        "transaction/record.c",
        "\tfor (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {\n\t\tbp_word *place = bp_branch_word(record, i);\n"
        "\t\tuint64_t word = place ? atomic_load(place) : 0;\n\n\t\tif (bp_word_generation(word) != generation ||",
        "\tfor (unsigned i = 0; i < atomic_load(&record->branch_count); i++) {\n\t\tbp_word *place = bp_branch_word(record, i);\n"
        "\t\tuint64_t word = place ? atomic_load(place) : 0;\n\n\t\tbreak;\n\t\tif (bp_word_generation(word) != generation ||",
        "the record goes while a branch still waits for timer D or K",
    ),
    Mutant(
        "generation-unchecked",
        "proxy/response.c",
        "\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "\trecord = (struct bp_record *)bp_slot_at(engine->edge->memory, BP_POOL_RECORD, id.index);\n"
        "\tif (record == NULL || id.branch >= atomic_load(&record->branch_count))\n"
        "\t\treturn BP_DROP_response_stale_branch;\n"
        "\tid.generation = bp_word_generation(atomic_load(&record->server));",
        "a late response belongs to whoever uses the record now",
    ),
    Mutant(
        "kept-freed-at-once",
        "proxy/finish.c",
        "\tbp_slot_retire(engine->memory, &kept->slot);\n}\n\nstatic void\nretire_live(",
        "\tbp_slot_return(engine->memory, &kept->slot);\n}\n\nstatic void\nretire_live(",
        "a message is freed while another worker still sends it: no grace period",
    ),
    Mutant(
        "insert-not-unique",
        "proxy/forward.c",
        "\tif (first != record) {",
        "\tif (first == NULL) {",
        "two workers with the same request both forward it",
    ),
    Mutant(
        "swap-not-compared",
        "transaction/record.c",
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n"
        "\t\t\treturn (struct bp_swap){word, next, step->action};",
        "\t\tatomic_store(&record->server, next);\n"
        "\t\treturn (struct bp_swap){word, next, step->action};",
        "the server side's state is stored without looking whether it has changed: a lost update",
    ),
    Mutant(
        "response-to-wrong-branch",
        "proxy/response.c",
        "\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "\tid.branch = 0;\n\trecord = record_of(engine, id);\n\tif (record == NULL)\n\t\treturn BP_DROP_response_stale_branch;",
        "every response counts as one of the first branch",
    ),
    # ---- forks and failover ----
    Mutant(
        "503-passed-on",
        "proxy/upstream.c",
        "\tif (m->status != 503)\n\t\treturn m;",
        "\tif (m->status > 0)\n\t\treturn m;",
        "a 503 from downstream goes up as it is (RFC 3261 16.7 step 6)",
    ),
    Mutant(
        "worst-response-chosen",
        "proxy/best.c",
        "rank(kept->status) < rank(best->status)",
        "rank(kept->status) > rank(best->status)",
        "of the branches' responses the worst goes up (RFC 3261 16.7 step 6)",
    ),
    Mutant(
        "icmp-ends-search",
        "proxy/response.c",
        "\t\tif (bp_branch_next(engine, record, id.generation)) {\n",
        "\t\tif (id.branch == 99) {\n",
        "an unreachable target is the end, though others are left",
    ),
    Mutant(
        "6xx-stops-nothing",
        "proxy/response.c",
        "\t\tif (m->status >= 600)\n\t\t\tend_search(engine, record, id.generation);",
        "\t\tif (m->status >= 700)\n\t\t\tend_search(engine, record, id.generation);",
        "the other branches ring on after a 6xx (RFC 3261 16.7 step 5)",
    ),
    # ---- dialogs ----
    Mutant(
        "bye-ends-nothing",
        "proxy/response.c",
        "\tbp_dialog_end(&engine->dialogs, index, generation, BP_DIALOG_END_bye);",
        "\t(void)index;\n\t(void)generation;",
        "the dialog goes on after its BYE",
    ),
    Mutant(
        "dialog-made-twice",
        "dialog/dialog.c",
        "\tif (sibling != NULL) {",
        "\tif (sibling == call && sibling != dialog && count > 99) {",
        "a 2xx in two hands makes a second dialog when the first has ended meanwhile",
    ),
    Mutant(
        "private-contact-believed",
        "proxy/route.c",
        "!is_trusted(engine, in) || !is_trusted(engine, out) ||",
        "!is_trusted(engine, in) ||",
        "requests to a phone behind NAT go to the address in its Contact",
    ),
]
