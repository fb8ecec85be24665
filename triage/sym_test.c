/* SPDX-License-Identifier: MIT */
/* Are names found, and is the identity of the model build about the model? */
#include <heddle/mm.h>
#include <string.h>

#include "../src/base/tap.h"
#include "sym.h"
#include "sym_private.h"
#include "triage.h"


static void check_field(const char *type, u32 off, const char *want)
{
	char buf[96];
	const char *got = sym_field(type, off, buf, sizeof(buf));

	tap_is_str(got ? got : "(none)", want ? want : "(none)", type);
}

static void test_fields(void)
{
	check_field("vm_area_struct", offsetof(struct vm_area_struct, vm_end),
		    "vm_end");
	check_field("struct vm_area_struct",
		    offsetof(struct vm_area_struct, vm_refcnt), "vm_refcnt");
	check_field("mm_struct", offsetof(struct mm_struct, mm_lock_seq),
		    "mm_lock_seq");
	check_field("mm_struct", offsetof(struct mm_struct, mm_mt),
		    "mm_mt.root");
	check_field("page_table", offsetof(struct page_table, pte[3]),
		    "pte[3]");
	check_field("maple_node", offsetof(struct maple_node, slot[1].vma),
		    "slot[1].vma");
	check_field("no_such_struct", 0, NULL);
	check_field("vm_area_struct", sizeof(struct vm_area_struct) + 8,
		    "[1].vm_end");
}

/* Every place from which a model calls the engine has a name, and no two calls
 * of one function share an ordinal. */
static void test_sites(void)
{
	const struct sym_program *p = sym_program();
	const struct sym_func *target;
	u32 i, pc, last, calls = 0, unnamed = 0, confused = 0;
	struct sym_site site, frames[SYM_MAX_CHAIN];

	for (i = 0; i < p->nfunc; i++) {
		const struct sym_func *f = &p->func[i];

		if (!f->model)
			continue;
		last = 0;
		for (pc = f->lo; (pc = sym_next_call(pc, f->hi, &target));) {
			if (target->model)
				continue;
			calls++;
			if (!sym_site(pc, &site) || !site.function[0] ||
			    !site.line || site.api) {
				printf("# %s+%u: %s:%u %s\n", f->name,
				       pc - f->lo, site.file, site.line,
				       site.function);
				unnamed++;
			}
			if (sym_frames(pc, frames, SYM_MAX_CHAIN) != 1)
				continue;
			confused += site.ordinal != last + 1;
			last = site.ordinal;
		}
	}
	tap_ok(calls > 100, "%u calls of the engine", calls);
	tap_is(unnamed, 0, "all of them have a place");
	tap_ok(confused < calls / 2, "ordinals count up");
	tap_ok(!sym_site(0x10, &site), "an address outside has none");
}

static void test_model(void)
{
	const struct sym_func *f = NULL, *g = NULL;
	const struct sym_program *p = sym_program();
	u32 i;

	for (i = 0; i < p->nfunc; i++) {
		if (!strcmp(p->func[i].name, "lock_vma_under_rcu"))
			f = &p->func[i];
		if (!strcmp(p->func[i].name, "hd_run_schedule"))
			g = &p->func[i];
	}
	tap_ok(f && f->model, "lock_vma_under_rcu is model code");
	tap_ok(g && !g->model, "hd_run_schedule is not");
	tap_ok(sym_model_id() > 1, "the model build has an identity");
	tap_ok(sym_model_id() == sym_model_id(), "... one");
}

/* An instruction, its length, and how many bytes of it are a reference. */
static void test_insn(const char *what, const u8 *code, u32 len, u32 left_out)
{
	u8 bytes[32] = { 0 }, out[16] = { 0 };
	u32 target = 0, i, n, changed = 0;

	memcpy(bytes, code, len);
	n = sym_insn(bytes, sizeof(bytes), 0x401000, out, &target);
	for (i = 0; i < n; i++)
		changed += bytes[i] && out[i] != bytes[i];
	tap_ok(n == len && changed == left_out, "%s: %u bytes, %u left out",
	       what, n, changed);
}

static void test_insns(void)
{
#define INSN(text, left_out, ...)                                   \
	do {                                                        \
		static const u8 code[] = { __VA_ARGS__ };           \
		test_insn(text, code, sizeof(code), left_out);      \
	} while (0)

	if (sym_program()->machine != EM_X86_64)
		return;
	INSN("push", 0, 0x55);
	INSN("nopl 0(%rax)", 0, 0x0f, 0x1f, 0x40, 0x00);
	INSN("call", 4, 0xe8, 0x11, 0x22, 0x33, 0x44);
	INSN("mov $address,%edi", 3, 0xbf, 0x10, 0x20, 0x43, 0x00);
	INSN("mov $constant,%edi", 0, 0xbf, 0x10, 0x20, 0x00, 0x00);
	INSN("mov x(%rip),%rax", 2, 0x48, 0x8b, 0x05, 0x10, 0x20, 0, 0);
	INSN("cmpl $5,x(%rip)", 2, 0x83, 0x3d, 0x10, 0x20, 0, 0, 5);
	INSN("movq $address,8(%rax)", 3, 0x48, 0xc7, 0x40, 8, 0x10, 0x20, 0x43,
	     0);
	INSN("mov table(,%rcx,8),%rax", 3, 0x48, 0x8b, 0x04, 0xcd, 0x10, 0x20,
	     0x43, 0);
	INSN("movabs", 0, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8);
	INSN("cmpw $300,(%rax)", 0, 0x66, 0x81, 0x38, 0x2c, 0x01);
	INSN("pshufd", 0, 0x66, 0x0f, 0x70, 0xc0, 0x44);
#undef INSN
}

int main(void)
{
	test_fields();
	test_sites();
	test_model();
	test_insns();
	return tap_done();
}
