/* SPDX-License-Identifier: MIT */
/* hd_coro_switch(void **save = x0, void *to = x1), AAPCS64.
 * Saved: x19-x30 and d8-d15, 160 bytes. */
	.text
	.globl hd_coro_switch
	.type hd_coro_switch, %function
	.p2align 4
hd_coro_switch:
	.cfi_startproc
	sub sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp x19, x20, [sp, #0]
	stp x21, x22, [sp, #16]
	stp x23, x24, [sp, #32]
	stp x25, x26, [sp, #48]
	stp x27, x28, [sp, #64]
	stp x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	.globl hd_coro_resume
hd_coro_resume:
	ldp x19, x20, [sp, #0]
	ldp x21, x22, [sp, #16]
	ldp x23, x24, [sp, #32]
	ldp x25, x26, [sp, #48]
	ldp x27, x28, [sp, #64]
	ldp x29, x30, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	.cfi_adjust_cfa_offset -160
	ret
	.cfi_endproc
	.size hd_coro_switch, . - hd_coro_switch

/* First frame of a task: x19 = fn, x20 = arg.  Backtraces end here. */
	.globl hd_coro_entry
	.type hd_coro_entry, %function
	.p2align 4
hd_coro_entry:
	.cfi_startproc
	.cfi_undefined x30
	mov x29, xzr
	mov x30, xzr
	mov x0, x20
	blr x19
	brk #1
	.cfi_endproc
	.size hd_coro_entry, . - hd_coro_entry
	.section .note.GNU-stack,"",%progbits
