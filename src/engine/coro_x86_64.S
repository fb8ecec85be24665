/* SPDX-License-Identifier: MIT */
/* hd_coro_switch(void **save = rdi, void *to = rsi), System V x86-64.
 * Callee-saved registers go to the stack; mxcsr and the x87 control word are
 * not changed by any task.  It ends in a ret, since the processor pairs calls with
 * returns: with a jump in its place all returns behind a switch are mispredicted. */
	.text
	.globl hd_coro_switch
	.type hd_coro_switch, @function
	.p2align 4
hd_coro_switch:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	pushq %r12
	.cfi_adjust_cfa_offset 8
	pushq %r13
	.cfi_adjust_cfa_offset 8
	pushq %r14
	.cfi_adjust_cfa_offset 8
	pushq %r15
	.cfi_adjust_cfa_offset 8
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	.globl hd_coro_resume
hd_coro_resume:
	popq %r15
	.cfi_adjust_cfa_offset -8
	popq %r14
	.cfi_adjust_cfa_offset -8
	popq %r13
	.cfi_adjust_cfa_offset -8
	popq %r12
	.cfi_adjust_cfa_offset -8
	popq %rbx
	.cfi_adjust_cfa_offset -8
	popq %rbp
	.cfi_adjust_cfa_offset -8
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
