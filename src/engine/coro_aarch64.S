/* SPDX-License-Identifier: MIT */
/* hd_coro_switch(void **save = x0, void *to = x1), AAPCS64.
 * Saved: x19-x30 and d8-d15, 160 bytes.  The unwind tables say where each
 * register lies, so a debugger that is given (saved sp, hd_coro_resume) finds a
 * parked task's frames. */
	.macro save a, b, at
	stp \a, \b, [sp, #\at]
	.cfi_rel_offset \a, \at
	.cfi_rel_offset \b, \at + 8
	.endm

	.macro restore a, b, at
	ldp \a, \b, [sp, #\at]
	.cfi_restore \a
	.cfi_restore \b
	.endm

	.text
	.globl hd_coro_switch
	.type hd_coro_switch, %function
	.p2align 4
hd_coro_switch:
	.cfi_startproc
	sub sp, sp, #160
	.cfi_adjust_cfa_offset 160
	save x19, x20, 0
	save x21, x22, 16
	save x23, x24, 32
	save x25, x26, 48
	save x27, x28, 64
	save x29, x30, 80
	save d8, d9, 96
	save d10, d11, 112
	save d12, d13, 128
	save d14, d15, 144
	mov x9, sp
	str x9, [x0]
	mov sp, x1
	.globl hd_coro_resume
hd_coro_resume:
	restore x19, x20, 0
	restore x21, x22, 16
	restore x23, x24, 32
	restore x25, x26, 48
	restore x27, x28, 64
	restore x29, x30, 80
	restore d8, d9, 96
	restore d10, d11, 112
	restore d12, d13, 128
	restore d14, d15, 144
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
