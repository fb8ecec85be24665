/* SPDX-License-Identifier: MIT */
/* How long is this instruction, and which of its bytes are a reference that
 * the linker fills in?
 *
 * x86-64: lengths by the usual opcode map (what compilers emit for integer and
 * SSE code; no VEX).  References are displacements off rip, and 32-bit
 * displacements and immediates that lie where a program linked -no-pie has its
 * code and data: numbers in that range count as references in every build, so
 * that the result does not depend on the layout at hand.
 * aarch64: bl, adrp, and the low 12 bits of what uses the register that the
 * last adrp set. */
#include <string.h>

#include "sym_private.h"

/* Where -no-pie programs lie; larger ones do not exist. */
enum { IMAGE_LO = 0x400000, IMAGE_HI = 0x4000000 };

static bool is_address(const u8 *b)
{
	u32 v;

	memcpy(&v, b, 4);
	return v >= IMAGE_LO && v < IMAGE_HI;
}

static void forget(u8 *b)
{
	memset(b, 0, 4);
}

/* --- x86-64 -------------------------------------------------------------- */

struct x86 {
	u32 len;
	bool op16, rexw, two, three;
	u8 op;
};

static u32 prefixes(const u8 *b, struct x86 *x)
{
	u32 i = 0;

	for (; i < 6; i++) {
		if (b[i] == 0x66)
			x->op16 = true;
		else if (b[i] != 0xf2 && b[i] != 0xf3 && b[i] != 0xf0 &&
			 b[i] != 0x2e && b[i] != 0x3e && b[i] != 0x64 &&
			 b[i] != 0x65)
			break;
	}
	if ((b[i] & 0xf0) == 0x40)
		x->rexw = b[i++] & 8;
	return i;
}

static bool has_modrm(const struct x86 *x)
{
	u8 op = x->op;

	if (x->three)
		return true;
	if (x->two)
		return !(op == 0x05 || op == 0x0b || op == 0x31 || op == 0xa2 ||
			 (op & 0xf0) == 0x80 || (op & 0xf8) == 0xc8);
	if (op < 0x40)
		return (op & 7) < 4;
	return op == 0x63 || op == 0x69 || op == 0x6b ||
	       (op & 0xf0) == 0x80 || op == 0xc0 || op == 0xc1 || op == 0xc6 ||
	       op == 0xc7 || (op & 0xfc) == 0xd0 || (op & 0xf8) == 0xd8 ||
	       op == 0xf6 || op == 0xf7 || op == 0xfe || op == 0xff;
}

/* Bytes of the immediate; reg is the middle field of ModRM. */
static u32 immediate(const struct x86 *x, u8 reg)
{
	u32 z = x->op16 ? 2 : 4;
	u8 op = x->op;

	if (x->three)
		return x->three && op == 0x3a;
	if (x->two)
		return (op & 0xf0) == 0x80 ? 4 :
		       (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac ||
		       op == 0xba || op == 0xc2 || (op >= 0xc4 && op <= 0xc6);
	if (op < 0x40)
		return (op & 7) == 4 ? 1 : (op & 7) == 5 ? z : 0;
	if ((op & 0xf8) == 0xb8)
		return x->rexw ? 8 : z;
	if ((op & 0xf8) == 0xb0 || (op & 0xf0) == 0x70 || op == 0xeb)
		return 1;
	switch (op) {
	case 0x68: case 0x69: case 0x81: case 0xa9: case 0xc7:
		return z;
	case 0xe8: case 0xe9:
		return 4;
	case 0x6a: case 0x6b: case 0x80: case 0x83: case 0xa8:
	case 0xc0: case 0xc1: case 0xc6:
		return 1;
	case 0xc2:
		return 2;
	case 0xf6:
		return reg < 2;
	case 0xf7:
		return reg < 2 ? z : 0;
	}
	return 0;
}

/* ModRM, SIB and displacement; where the displacement is and whether it is
 * off rip. */
static u32 operand(const u8 *b, u32 *disp, bool *rip)
{
	u8 mod = b[0] >> 6, rm = b[0] & 7, base = rm;
	u32 n = 1;

	*disp = 0;
	*rip = false;
	if (mod == 3)
		return n;
	if (rm == 4)
		base = b[n++] & 7;
	if (mod == 0 && base == 5) {
		*disp = n;
		*rip = rm == 5;
		return n + 4;
	}
	if (mod == 2) {
		*disp = n;
		return n + 4;
	}
	return n + (mod == 1);
}

static void opcode(const u8 *b, u32 *i, struct x86 *x)
{
	x->op = b[(*i)++];
	if (x->op != 0x0f)
		return;
	x->op = b[(*i)++];
	x->two = true;
	if (x->op == 0x38 || x->op == 0x3a) {
		x->three = true;
		(*i)++; /* the map in op tells of the immediate */
	}
}

static u32 x86_insn(const u8 *b, u32 at, u8 *out, u32 *target)
{
	struct x86 x = { 0 };
	u32 i = prefixes(b, &x), imm, disp = 0, first = 0;
	bool rip = false;
	u8 reg = 0;
	s32 rel;

	opcode(b, &i, &x);
	if (has_modrm(&x)) {
		reg = b[i] >> 3 & 7;
		first = i;
		i += operand(b + i, &disp, &rip);
	}
	imm = immediate(&x, reg);
	x.len = i + imm;
	if (x.len > 15) { /* not an instruction that we know */
		*out = *b;
		return 1;
	}
	memcpy(out, b, x.len);
	if (disp && (rip || is_address(b + first + disp)))
		forget(out + first + disp);
	if (imm != 4)
		return x.len;
	memcpy(&rel, b + i, 4);
	if ((!x.two && (x.op == 0xe8 || x.op == 0xe9)) ||
	    (x.two && (x.op & 0xf0) == 0x80)) {
		*target = at + x.len + (u32)rel;
		forget(out + i);
	} else if (is_address(b + i)) {
		forget(out + i);
	}
	return x.len;
}

/* --- aarch64 ------------------------------------------------------------- */

static u32 aarch64_insn(const u8 *b, u32 at, u8 *out, u32 *target)
{
	static u32 page_reg = 32; /* what the last adrp set */
	u32 insn;

	memcpy(&insn, b, 4);
	if ((insn & 0xfc000000) == 0x94000000) {
		*target = at + (u32)((s32)(insn << 6) >> 4);
		insn &= 0xfc000000;
	} else if ((insn & 0x9f000000) == 0x90000000) {
		page_reg = insn & 31;
		insn &= 0x9f00001f;
	} else if ((insn >> 5 & 31) == page_reg &&
		   ((insn & 0xff800000) == 0x91000000 ||
		    (insn & 0x3b000000) == 0x39000000)) {
		insn &= 0xffc003ff;
	}
	memcpy(out, &insn, 4);
	return 4;
}

u32 sym_insn(const u8 *code, u32 left, u32 at, u8 *out, u32 *target)
{
	u8 b[32] = { 0 };
	u32 n;

	memcpy(b, code, left < 32 ? left : 32);
	n = sym_program()->machine == EM_AARCH64 ?
		    aarch64_insn(b, at, out, target) :
		    x86_insn(b, at, out, target);
	if (n > left)
		n = left;
	return n;
}
