/* SPDX-License-Identifier: MIT */
/* Names from debug information (libdw) of the running program: fields of
 * objects, places of ops.  Only triage/ has them; src/ and fuzz/ do without.
 *
 * Model code is every compile unit that calls a __tsan_* callback: that is how
 * models are compiled, and nothing else is.  All other functions are the
 * engine and its API. */
#ifndef TRIAGE_SYM_H
#define TRIAGE_SYM_H

#include <heddle/types.h>

/* Where an op stands in model code.  ordinal: the k-th call of the engine in
 * this function, in address order, from 1: it survives unrelated edits, unlike
 * the line.  Inlining is undone: the function is the innermost one that is no
 * helper of the API. */
struct sym_site {
	char function[64];
	char file[96];
	u32 line;
	u32 ordinal;
	bool api; /* an inline helper of include/heddle, mm.h excepted */
};

/* pc is a return address.  false: no debug information for it. */
bool sym_site(u32 pc, struct sym_site *site);
/* The function of pc and those that it was inlined into, innermost first;
 * ordinals are 0.  Returns how many were stored. */
u32 sym_frames(u32 pc, struct sym_site *site, u32 max);
/* Is the code at pc model code? */
bool sym_is_model(u32 pc);
/* Do both lie in one function of the machine code? */
bool sym_same_function(u32 pc, u32 other);
/* The function that the call before the return address pc names, or NULL. */
const char *sym_callee(u32 pc);

/* Path of the member at off in struct type ("vm_refcnt", "mm.mmap_lock",
 * "pte[3]"); NULL if unknown.  Structures that a header of include/heddle
 * (mm.h excepted) declares are words of the API and are not opened: the field
 * is "mm_lock_seq", not "mm_lock_seq.sequence". */
const char *sym_field(const char *type, u32 off, char *buf, size_t size);
/* The static object at addr and the member in it ("counter", "state.head"). */
const char *sym_data(u64 addr, char *buf, size_t size);
/* Identity of the model build: hash over the model code and the layout of the
 * types; the same for engine and triage built by gcc or clang. */
u64 sym_model_id(void);

#endif
