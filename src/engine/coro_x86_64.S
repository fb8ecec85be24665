/* SPDX-License-Identifier: MIT */
/* hd_coro_switch(void **save = rdi, void *to = rsi), System V x86-64.
 * Callee-saved registers go to the stack; mxcsr and the x87 control word are
 * not changed by any task.  It ends in a ret, since the processor pairs calls with
 * returns: with a jump in its place all returns behind a switch are mispredicted.
 * The unwind tables say where each register lies, so a debugger that is given
 * (saved sp, hd_coro_resume) finds a parked task's frames. */
	.macro push reg
	pushq %\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \reg, 0
	.endm

	.macro pop reg
	popq %\reg
	.cfi_adjust_cfa_offset -8
	.cfi_restore \reg
	.endm

	.text
	.globl hd_coro_switch
	.type hd_coro_switch, @function
	.p2align 4
hd_coro_switch:
	.cfi_startproc
	push rbp
	push rbx
	push r12
	push r13
	push r14
	push r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	.globl hd_coro_resume
hd_coro_resume:
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	ret
	.cfi_endproc
	.size hd_coro_switch, . - hd_coro_switch

/* First frame of a task: r12 = fn, r13 = arg.  Backtraces end here. */
	.globl hd_coro_entry
	.type hd_coro_entry, @function
	.p2align 4
hd_coro_entry:
	.cfi_startproc
	.cfi_undefined rip
	xorl %ebp, %ebp
	andq $-16, %rsp
	movq %r13, %rdi
	callq *%r12
	ud2
	.cfi_endproc
	.size hd_coro_entry, . - hd_coro_entry
	.section .note.GNU-stack,"",@progbits
