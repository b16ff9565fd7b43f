# SPDX-License-Identifier: BSD-3-Clause
"""Deliberately broken variants of the engine, to show that the interleavings see them.

Each is one replacement in one source file: the old text must stand there exactly once. `run` is the program that must
end with an error, and its arguments.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    file: str  # below dataplane/
    old: str
    new: str
    breaks: str
    run: str


MUTANTS = [
    # ---- the final response waits for all branches ----
    Mutant(
        "first-refusal-goes-up",
        "transaction/record.c",
        "\t\tif (pending == 1) {\n",
        "\t\tif (pending >= 1) {\n",
        "each branch that ends counts as the last: a refusal goes up while another branch rings (RFC 3261 16.7 step 5)",
        "histories fork 5 0",
    ),
    Mutant(
        "first-refusal-goes-up-in-failover",
        "transaction/record.c",
        "\t\tif (pending == 1) {\n",
        "\t\tif (pending >= 1) {\n",
        "the same while the next target is tried",
        "histories failover 5 0",
    ),
    Mutant(
        "refusal-not-joined",
        "proxy/upstream.c",
        "\tif (fork)\n\t\treturn final_of_many(",
        "\tif (fork && m->status != 486)\n\t\treturn final_of_many(",
        "a refusal of one branch does not wait among the others'",
        "histories fork 5 0",
    ),
    Mutant(
        "worst-response-chosen",
        "proxy/best.c",
        "rank(kept->status) < rank(best->status)",
        "rank(kept->status) > rank(best->status)",
        "of the branches' responses the worst goes up (RFC 3261 16.7 step 6)",
        "histories fork 6 0",
    ),
    Mutant(
        "response-after-the-swap",
        "proxy/upstream.c",
        "\tbp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, kept));\n"
        "\tif (atomic_load(&record->live) != live) /* the record ended meanwhile, and did not take it along */\n"
        "\t\tbp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, NULL));\n"
        "\tswap = bp_step_branch_done(engine, record, generation, status);\n"
        "\tif (swap.action != BP_DO_SEND)\n"
        "\t\treturn BP_VERDICT_ABSORBED;\n",
        "\tswap = bp_step_branch_done(engine, record, generation, status);\n"
        "\tbp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, kept));\n"
        "\tif (atomic_load(&record->live) != live)\n"
        "\t\tbp_retire_kept(engine, atomic_exchange(&live->branches[branch].response, NULL));\n"
        "\tif (swap.action != BP_DO_SEND)\n"
        "\t\treturn BP_VERDICT_ABSORBED;\n",
        "a branch counts as done before its response is there for whoever chooses the best",
        "histories fork 6 0",
    ),
    Mutant(
        "next-before-abandon",
        "proxy/branch.c",
        "\tif (!is_next_wanted(record, live, trunk) || !bp_branch_abandon(record, entry->generation, entry->branch))\n"
        "\t\treturn;\n"
        "\tgiven_up = bp_branch_next(engine, record, entry->generation) ||\n"
        "\t\t!bp_branch_resume(record, entry->generation, entry->branch);\n",
        "\tgiven_up = bp_branch_next(engine, record, entry->generation) &&\n"
        "\t\tbp_branch_abandon(record, entry->generation, entry->branch);\n",
        "a target whose time is over and who answers just then are both gone on from: two at work",
        "histories failover 4 0",
    ),
    # ---- compare-and-swap ----
    Mutant(
        "server-word-stored",
        "transaction/record.c",
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n"
        "\t\t\treturn (struct bp_swap){word, next, step->action};",
        "\t\tatomic_store(&record->server, next);\n\t\treturn (struct bp_swap){word, next, step->action};",
        "the server word is loaded and stored, not compared and swapped: a lost update",
        "histories invite 5 0",
    ),
    Mutant(
        "branch-done-stored",
        "transaction/record.c",
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n"
        "\t\t\treturn (struct bp_swap){word, next, action};",
        "\t\tatomic_store(&record->server, next);\n\t\treturn (struct bp_swap){word, next, action};",
        "the same where branches that wait are counted",
        "histories fork 5 0",
    ),
    Mutant(
        "branch-word-stored",
        "transaction/record.c",
        "\t\tif (atomic_compare_exchange_weak(place, &word, next))\n"
        "\t\t\treturn (struct bp_swap){word, next, step->action};\n\t}\n\treturn stale;\n}\n\nstruct bp_swap\n"
        "bp_server_branch_done(",
        "\t\tatomic_store(place, next);\n"
        "\t\treturn (struct bp_swap){word, next, step->action};\n\t}\n\treturn stale;\n}\n\nstruct bp_swap\n"
        "bp_server_branch_done(",
        "the branch word is loaded and stored, not compared and swapped",
        "histories invite 5 0",
    ),
    Mutant(
        "cancel-asked-stored",
        "transaction/record.c",
        "\t\tnext = BP_WORD_SET(next, CANCEL, BP_NIST_COMPLETED + 1);\n"
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n"
        "\t\t\treturn",
        "\t\tnext = BP_WORD_SET(next, CANCEL, BP_NIST_COMPLETED + 1);\n"
        "\t\tatomic_store(&record->server, next);\n"
        "\t\t\treturn",
        "CANCEL writes the server word without looking whether it has changed",
        "histories invite 5 0",
    ),
    Mutant(
        "cancel-sent-twice",
        "transaction/record.c",
        "\t\tuint64_t next = BP_WORD_SET(word, CANCEL, BP_NICT_TRYING + 1);\n\n"
        "\t\tif (atomic_compare_exchange_weak(place, &word, next))\n\t\t\treturn true;",
        "\t\tuint64_t next = BP_WORD_SET(word, CANCEL, BP_NICT_TRYING + 1);\n\n"
        "\t\tatomic_store(place, next);\n\t\treturn true;",
        "a 1xx and the CANCEL on two workers both send the branch's CANCEL",
        "histories invite 5 0",
    ),
    Mutant(
        "ended-twice",
        "transaction/record.c",
        "\t\tif (!atomic_compare_exchange_weak(\n"
        "\t\t\t    &record->server, &word, BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE))\n"
        "\t\t\tcontinue;",
        "\t\tatomic_store(&record->server, BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE);",
        "two timers that end the last two machines both free the record",
        "histories other 9 0",
    ),
    Mutant(
        "new-branch-uncounted",
        "transaction/record.c",
        "\t\tuint64_t next = BP_WORD_SET(word, PENDING, BP_WORD_GET(word, PENDING) + 1);\n\n"
        "\t\tif (atomic_compare_exchange_weak(&record->server, &word, next))\n\t\t\treturn true;",
        "\t\tuint64_t next = BP_WORD_SET(word, PENDING, BP_WORD_GET(word, PENDING) + 1);\n\n"
        "\t\tatomic_store(&record->server, next);\n\t\treturn true;",
        "another target is tried although a CANCEL or final response has come in between",
        "histories failover 5 0",
    ),
    # ---- one record for one request ----
    Mutant(
        "looked-up-then-inserted",
        "transaction/record.c",
        "\treturn record_of(bp_table_add(table, &record->node, match, &method));",
        "\tenum bp_method none = (enum bp_method)255;\n"
        "\tstruct bp_record *first = bp_record_find(table, record->node.id, method);\n\n"
        "\treturn first ? first : record_of(bp_table_add(table, &record->node, match, &none));",
        "the same request on two workers makes two records",
        "histories invite 4 0",
    ),
    Mutant(
        "insert-not-unique",
        "proxy/forward.c",
        "\tif (first != record) {",
        "\tif (first == NULL) {",
        "whoever loses the insertion forwards all the same",
        "histories invite 4 0",
    ),
    # ---- the order of writing ----
    Mutant(
        "1xx-before-the-swap",
        "proxy/upstream.c",
        "\tstruct bp_swap swap = bp_step_server(engine, record, generation, BP_IST_ON_TU_1XX, 0, m->status);\n\n"
        "\tif (swap.action != BP_DO_SEND)\n"
        "\t\treturn BP_DROP_response_unexpected;\n"
        "\tbp_account_provisional(engine, record, &swap);\n"
        "\treturn pass(engine, record, m, KEEP_WHOLE);",
        "\tint verdict = pass(engine, record, m, KEEP_WHOLE);\n"
        "\tstruct bp_swap swap = bp_step_server(engine, record, generation, BP_IST_ON_TU_1XX, 0, m->status);\n\n"
        "\tif (swap.action != BP_DO_SEND)\n"
        "\t\treturn BP_DROP_response_unexpected;\n"
        "\tbp_account_provisional(engine, record, &swap);\n"
        "\treturn verdict;",
        "a 1xx is kept and sent before the swap that says whether it may be",
        "histories fork 5 0",
    ),
    Mutant(
        "2xx-before-the-swap",
        "proxy/upstream.c",
        "\tint verdict;\n\n\tif (swap.action != BP_DO_SEND)\n\t\treturn BP_VERDICT_ABSORBED;\n"
        "\tverdict = pass(engine, record, m, KEEP_REPLY);\n",
        "\tint verdict = pass(engine, record, m, KEEP_REPLY);\n\n\tif (swap.action != BP_DO_SEND)\n"
        "\t\treturn BP_VERDICT_ABSORBED;\n",
        "a response to a non-INVITE is kept and sent whatever the swap says",
        "histories other-fork 5 0",
    ),
    Mutant(
        "final-replaced-by-1xx",
        "transaction/record.c",
        "\t\tif (old != NULL && old->status >= 200)\n\t\t\treturn kept;",
        "\t\tif (old == kept)\n\t\t\treturn kept;",
        "a 1xx that comes late takes the place of the final response that is to be repeated",
        "histories invite 5 0",
    ),
    Mutant(
        "server-word-first",
        "proxy/response.c",
        "\tstruct bp_swap swap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);\n\n"
        "\tswitch (swap.action) {",
        "\tstruct bp_swap swap;\n\n"
        "\tif (event == BP_ICT_ON_3XX_6XX)\n"
        "\t\tbp_upstream_final(engine, record, id.generation, id.branch, m);\n"
        "\tswap = bp_step_branch(engine, record, id.generation, id.branch, event, set, status);\n"
        "\tswitch (swap.action) {",
        "the server word is swapped before the branch word",
        "histories invite 5 0",
    ),
    Mutant(
        "cancel-walks-first",
        "proxy/response.c",
        "\tbp_cancel_if_asked(engine, record, id.generation, id.branch);\n\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "\treturn verdict;\n}\n\nstatic int\ninvite_2xx(",
        "a 1xx does not look whether a CANCEL was asked meanwhile",
        "histories invite 5 0",
    ),
    Mutant(
        "late-target-rings-on",
        "proxy/cancel.c",
        "\tif (BP_WORD_GET(atomic_load(&record->server), PENDING) <= 1 && atomic_load(&record->branch_count) == 1)",
        "\tif (atomic_load(&record->branch_count) == 1)",
        "a 2xx does not stop the target that is just being added",
        "histories failover 5 0",
    ),
    # ---- memory ----
    Mutant(
        "reason-left-behind",
        "proxy/cancel.c",
        "\t} else if (atomic_load(&record->live) != live) { /* dropped meanwhile, and did not take it along */\n",
        "\t} else if (live == NULL) {\n",
        "what a CANCEL leaves to a record whose live part goes at that moment is never given back",
        "histories invite 5 0",
    ),
    # ---- the end of a record, and its slot's next life ----
    Mutant(
        "generation-stays",
        "transaction/record.c",
        "\t\tuint64_t next = (uint64_t)(generation + 1) << BP_WORD_GENERATION_SHIFT;\n",
        "\t\tuint64_t next = (uint64_t)generation << BP_WORD_GENERATION_SHIFT;\n",
        "a late timer or response acts on whoever uses the record next",
        "interleavings-reclaim",
    ),
    Mutant(
        "free-record-answers",
        "transaction/record.c",
        "BP_WORD_SET(next, STATE, terminated) | BP_WORD_FREE))",
        "next))",
        "who found a record just before its end takes it for a new one",
        "interleavings-reclaim",
    ),
    Mutant(
        "left-in-the-table",
        "proxy/finish.c",
        "\tbp_table_remove(engine->edge->transactions, &record->node);\n",
        "",
        "a record that is over can still be found",
        "interleavings-reclaim",
    ),
    Mutant(
        "kept-freed-at-once",
        "proxy/finish.c",
        "\tbp_slot_retire(engine->memory, &kept->slot);\n}\n\n/* Mostly",
        "\tbp_slot_return(engine->memory, &kept->slot);\n}\n\n/* Mostly",
        "a message is used again while another worker still reads it",
        "interleavings-reclaim",
    ),
    Mutant(
        "no-grace-period",
        "transaction/slab.c",
        "\tcount_returned(home, slot);\n\tif (slot->owner == home->worker) {\n",
        "\tcount_returned(home, slot);\n"
        "\tslot->next = home->pools[slot->pool].local;\n"
        "\thome->pools[slot->pool].local = place_of(home->memory, slot);\n"
        "\treturn;\n"
        "\tif (slot->owner == home->worker) {\n",
        "a retired slot is used again at once",
        "interleavings-reclaim",
    ),
    Mutant(
        "returned-not-emptied",
        "transaction/slab.c",
        "place = atomic_exchange_explicit(&mine->returned, 0, memory_order_acquire);",
        "place = atomic_load_explicit(&mine->returned, memory_order_acquire);",
        "what came back is taken and left there",
        "interleavings-reclaim",
    ),
    Mutant(
        "returned-stored",
        "transaction/slab.c",
        "\twhile (!atomic_compare_exchange_weak_explicit(&home->returned, &last->next, place_of(memory, first),\n"
        "\t\tmemory_order_release, memory_order_relaxed))\n\t\t;\n",
        "\tatomic_store_explicit(&home->returned, place_of(memory, first), memory_order_release);\n",
        "two batches that come back at once: one is lost",
        "interleavings-reclaim",
    ),
    Mutant(
        "taken-over-twice",
        "transaction/slab.c",
        "uint32_t list = atomic_exchange(&home->memory->homes[other].pools[id].returned, 0);",
        "uint32_t list = atomic_load(&home->memory->homes[other].pools[id].returned);",
        "two dry workers take over the same slots",
        "interleavings-reclaim",
    ),
    # ---- insert-if-absent in one bucket ----
    Mutant(
        "bucket-looked-up-then-inserted",
        "transaction/table.c",
        "\t\tuint64_t gate = settle(table, bucket);\n"
        "\t\tstruct bp_table_node *first = find_in(table, bucket, node->id, match, key);\n",
        "\t\tstruct bp_table_node *first = find_in(table, bucket, node->id, match, key);\n"
        "\t\tuint64_t gate = settle(table, bucket);\n",
        "the turn is taken after a look that is too old",
        "interleavings-table",
    ),
    Mutant(
        "helper-does-not-look-again",
        "transaction/table.c",
        "\tif ((uint32_t)seen == 0 && atomic_load(&bucket->gate) == gate)",
        "\tif ((uint32_t)seen == 0)",
        "a late helper fills an entry once more that was emptied since",
        "interleavings-table",
    ),
]
