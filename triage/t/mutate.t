#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# heddle mutate: is every operator applied where it can be, does the right
# variant notice, and does nothing stay behind?  All results are pinned: a
# mutant that is found no longer, or by another verdict, is a change of a check
# or of an operator, and has to be explained.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use Test::More;

my $heddle = abs_path($ENV{HEDDLE} // 'build/heddle');
plan skip_all => 'heddle-mutate is not built'
	unless -x dirname($heddle) . '/heddle-mutate';

# The lines of mutants: what was done and what came of it.
sub lines_of {
	my ($out) = @_;
	return join '', map { "$_\n" } grep { / -> / } split /\n/, $out;
}

# Line by line, so that a difference names the mutant.
sub pinned {
	my ($out, $want, $what) = @_;
	my @got = split /\n/, lines_of($out);
	my @want = split /\n/, $want;
	is scalar @got, scalar @want, "$what: " . @want . ' mutants';
	is $got[$_], $want[$_], $want[$_] =~ s/ -> .*//r for 0 .. $#want;
}

# --- a scenario of one's own -----------------------------------------------------
my $gate = "$dir/gate.c";
spew($gate, slurp("$FindBin::Bin/gate.c"));
$ENV{TMPDIR} = "$dir/tmp";
mkdir $ENV{TMPDIR};
my ($rc, $out, $err) = heddle('mutate', $gate);
is "$rc$err", 0, 'gate.c: no mutant survives';
like $out, qr/^clean variants: gate:whole$/m, '... says on which variants';
pinned($out =~ s/^\Q$dir\E\///mgr, <<'END', 'gate.c');
gate.c:48 enter no-lock spin_lock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:48 enter no-pair spin_lock/spin_unlock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:48 enter lock-late spin_lock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:50 enter never open -> found deadlock gate, gate:whole, 0 preemptions
gate.c:50 enter always open -> found deadlock gate, gate:whole, 1 preemption
gate.c:51 enter no-store atomic_inc -> found deadlock gate, gate:whole, 0 preemptions
gate.c:52 enter no-unlock spin_unlock -> found held-at-exit lock, gate:whole, 0 preemptions
gate.c:52 enter unlock-early spin_unlock -> found assert READ_ONCE(only->thing)->value == 1, gate:whole, 1 preemption
gate.c:58 leave never atomic_dec_and_test(&g->inside) -> found lost-wakeup gate, gate:whole, 1 preemption
gate.c:58 leave always atomic_dec_and_test(&g->inside) -> equivalent (complete: gate:whole)
gate.c:59 leave no-wakeup rcuwait_wake_up -> found lost-wakeup gate, gate:whole, 1 preemption
gate.c:64 shut no-lock spin_lock -> found unbalance lock, gate:whole, 0 preemptions
gate.c:64 shut no-pair spin_lock/spin_unlock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:64 shut lock-late spin_lock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:65 shut no-store g->shut -> found assert READ_ONCE(only->thing)->value == 1, gate:whole, 0 preemptions
gate.c:66 shut no-unlock spin_unlock -> found held-at-exit lock, gate:whole, 0 preemptions
gate.c:66 shut unlock-early spin_unlock -> found data-race read write gate.shut, gate:whole, 0 preemptions
gate.c:66 shut swap spin_unlock, rcuwait_wait_event -> found sleep-in-atomic schedule, gate:whole, 1 preemption
gate.c:67 shut no-wait rcuwait_wait_event -> found assert-race free read thing.value, gate:whole, 0 preemptions
gate.c:75 replace no-store t->value -> found assert rcu_dereference(only->thing)->value, gate:whole, 0 preemptions
gate.c:75 replace swap t->value, rcu_assign_pointer -> found data-race read write thing.value, gate:whole, 1 preemption
gate.c:76 replace no-store rcu_assign_pointer -> found assert-race free read thing.value, gate:whole, 0 preemptions
gate.c:76 replace swap rcu_assign_pointer, kfree_rcu -> found assert-race free read thing.value, gate:whole, 1 preemption
gate.c:76 replace relax rcu_assign_pointer -> found data-race read write thing.value, gate:whole, 1 preemption
gate.c:77 replace no-call kfree_rcu -> equivalent (complete: gate:whole)
gate.c:77 replace free-now kfree_rcu -> found assert-race free read thing.value, gate:whole, 0 preemptions
gate.c:82 owner no-call shut -> found assert READ_ONCE(only->thing)->value == 1, gate:whole, 0 preemptions
gate.c:82 owner swap shut, replace -> found assert-race free read thing.value, gate:whole, 0 preemptions
gate.c:83 owner no-call replace -> equivalent (complete: gate:whole)
gate.c:88 user never !enter(only) -> found assert READ_ONCE(only->thing)->value == 1, gate:whole, 0 preemptions
gate.c:88 user always !enter(only) -> found deadlock gate, gate:whole, 0 preemptions
gate.c:92 user no-call leave -> found deadlock gate, gate:whole, 0 preemptions
gate.c:97 looker no-lock rcu_read_lock -> found rcu-usage rcu_dereference, gate:whole, 0 preemptions
gate.c:97 looker no-pair rcu_read_lock/rcu_read_unlock -> found rcu-usage rcu_dereference, gate:whole, 0 preemptions
gate.c:99 looker no-unlock rcu_read_unlock -> found held-at-exit rcu_read_lock, gate:whole, 0 preemptions
gate.c:99 looker unlock-early rcu_read_unlock -> found rcu-usage rcu_dereference, gate:whole, 0 preemptions
END
is result($out)->{$_->[0]}, $_->[1], "$_->[0] $_->[1]"
	for [ mutants => 36 ], [ found => 33 ], [ unbuilt => 0 ], [ equivalent => 3 ], [ survived => 0 ];
is slurp($gate), slurp("$FindBin::Bin/gate.c"), 'the file is as it was';
is_deeply [ glob("$ENV{TMPDIR}/*") ], [], 'no temporary files';
is slurp("$dir/gate"), '', '... and no program';

# --- a model of the tree ----------------------------------------------------------
# Lines may move here; verdicts may not.
my $v10 = "$FindBin::Bin/../../src/mm/vma_lock_v10.c";
my $before = slurp($v10);
($rc, $out, $err) = heddle('mutate', $v10, 'fault_vs_munmap:v10',
	'--function=start_read,start_write', '--jobs=2');
ok $rc == 1 && $err eq '' && $out =~ / survived=0$/m,
	'vma_lock_v10.c: no mutant of these survives';
pinned($out =~ s/^src\/mm\/vma_lock_v10\.c:\d+ //mgr, <<'END', 'v10');
start_read never READ_ONCE(vma->vm_lock_seq) == READ_O... -> found limit run too long, fault_vs_munmap:v10, 1 preemption
start_read always READ_ONCE(vma->vm_lock_seq) == READ_O... -> found not reached: increment sees 0, limit reached, wait at start_write, wait at detach, re-check fails, read lock granted, fault_vs_munmap:v10
start_read unmark READ_ONCE -> found data-race read write vm_area_struct.vm_lock_seq, fault_vs_munmap:v10, 1 preemption
start_read unmark READ_ONCE -> found data-race read write mm_struct.mm_lock_seq, fault_vs_munmap:v10, 0 preemptions
start_read never unlikely(!__refcount_inc_not_zero_lim... -> found data-race read write vm_area_struct.vm_lock_seq, fault_vs_munmap:v10, 1 preemption
start_read always unlikely(!__refcount_inc_not_zero_lim... -> found deadlock mm_struct, fault_vs_munmap:v10, 0 preemptions
start_read relax __refcount_inc_not_zero_limited_acquire -> found data-race read write vm_area_struct.vm_lock_seq, fault_vs_munmap:v10, 2 preemptions
start_read never oldcnt -> found limit run too long, fault_vs_munmap:v10
start_read always oldcnt -> found not reached: increment sees 0, fault_vs_munmap:v10
start_read no-lock rwsem_acquire_read -> found unbalance vm_lock, fault_vs_munmap:v10, 0 preemptions
start_read lock-late rwsem_acquire_read -> equivalent (complete: fault_vs_munmap:v10)
start_read never check_mm && unlikely(vma->vm_mm != mm) -> equivalent (complete: fault_vs_munmap:v10)
start_read always check_mm && unlikely(vma->vm_mm != mm) -> found not reached: re-check fails, read lock granted, fault_vs_munmap:v10
start_read no-term check_mm -> found not reached: re-check fails, read lock granted, fault_vs_munmap:v10
start_read no-term unlikely(vma->vm_mm != mm) -> unreached
start_read never unlikely(recheck_fails(vma, mm)) -> found exclusion vm_area_struct, fault_vs_munmap:v10, 2 preemptions
start_read always unlikely(recheck_fails(vma, mm)) -> found not reached: read lock granted, fault_vs_munmap:v10
start_read no-unlock vma_refcount_put -> found circular mmap_lock vm_lock, fault_vs_munmap:v10, 2 preemptions
start_write never __is_vma_write_locked(vma, &mm_lock_seq) -> equivalent (complete: fault_vs_munmap:v10)
start_write always __is_vma_write_locked(vma, &mm_lock_seq) -> found exclusion vm_area_struct, fault_vs_munmap:v10, 1 preemption
start_write always !mm_does(MM_STEP_SEQ_BEHIND_WAIT) -> found data-race read write vm_area_struct.vm_lock_seq, fault_vs_munmap:v10, 0 preemptions
start_write no-store WRITE_ONCE -> unreached
start_write unmark WRITE_ONCE -> unreached
start_write never locked < 0 -> equivalent (complete: fault_vs_munmap:v10)
start_write always locked < 0 -> found refcount saturated vm_area_struct.vm_refcnt, fault_vs_munmap:v10, 0 preemptions
start_write edge < is <= -> equivalent (complete: fault_vs_munmap:v10)
start_write no-store WRITE_ONCE -> found exclusion vm_area_struct, fault_vs_munmap:v10, 1 preemption
start_write unmark WRITE_ONCE -> equivalent (complete: fault_vs_munmap:v10)
start_write never locked -> found refcount saturated vm_area_struct.vm_refcnt, fault_vs_munmap:v10, 0 preemptions
start_write always locked -> found the set-up fails: the set-up itself raised a verdict, fault_vs_munmap:v10
start_write no-call WARN_ON_ONCE -> found refcount saturated vm_area_struct.vm_refcnt, fault_vs_munmap:v10, 0 preemptions
END
is slurp($v10), $before, 'the tree is as it was';
is_deeply [ glob("$ENV{TMPDIR}/*") ], [], 'no temporary files';

# What a variant chooses is not broken, what it can leave out is left out once.
($rc, $out) = heddle('mutate', "$FindBin::Bin/../../src/mm/mmap_lock.c", '--list');
is join(' ', $out =~ /^\S+ (mm_lock_seqcount_begin .*)$/mg),
	'mm_lock_seqcount_begin no-lock do_raw_write_seqcount_begin',
	'the form of the VMA lock is a choice';
is join(',', $out =~ /^\S+ \w+ (\w+ !?mm_does.*)$/mg),
	'always !mm_does(MM_STEP_SEQ_BEFORE_UNLOCK)', 'a step that is left out';

# --- choosing ----------------------------------------------------------------------
($rc, $out) = heddle('mutate', $gate, '--list', '--operator=no-wait,free-now');
is $out =~ s/\Q$dir\E\///gr, "gate.c:67 shut no-wait rcuwait_wait_event\n" .
	"gate.c:77 replace free-now kfree_rcu\n", '--list, --operator';
($rc, $out) = heddle('mutate', $gate, '--list', '--function=setup');
like $out, qr/setup no-store/, 'a set-up only if it is named';

# A function that no variant runs: not found, and not called equivalent.
(my $text = slurp($gate)) =~ s/^(static void owner)/void spare(struct gate *g);
void spare(struct gate *g)\n{\n\tspin_lock(&g->lock);\n}\n\n$1/m;
spew($gate, $text);
($rc, $out) = heddle('mutate', $gate, '--function=spare');
ok $rc == 1 && $out =~ /spare no-lock spin_lock -> unreached$/m,
	'a function that nobody runs';
# A line that no run executes is said to be one.
($text = slurp("$FindBin::Bin/gate.c")) =~
	s/^(\tif \(open\))/\tif (g->inside.counter > 9)\n\t\tspin_lock(&g->lock);\n$1/m;
spew($gate, $text);
($rc, $out) = heddle('mutate', $gate, '--function=enter', '--operator=no-lock');
like $out, qr/gate\.c:51 .*-> unreached$/m,
	'a line that no run executes';

# --- what cannot be done: one line, exit status 2 -------------------------------------
sub fails {
	my ($what, $says, @args) = @_;
	my ($rc, $out, $err) = heddle('mutate', @args);
	ok $rc == 2 && $err =~ $says && $err =~ tr/\n// == 1, $what
		or diag "$rc: $err";
}
fails('no file', qr/which FILE/);
fails('an unreadable file', qr/cannot read nothing\.c/, 'nothing.c');
fails('an unknown function', qr/no function frob \(there is: .*enter, leave/,
	$gate, '--function=frob');
fails('an unknown operator', qr/no operator frob/, $gate, '--operator=frob');
fails('an unknown option', qr/frob/, $gate, '--frob');
fails('an unknown scenario', qr/called frob/, $gate, 'frob');
fails('a buggy variant', qr/v6 is expected to show a verdict/, $v10,
	'fault_vs_munmap:v6');
fails('no model', qr/no model of the tree/, "$FindBin::Bin/first_use.c")
	unless slurp("$FindBin::Bin/first_use.c") =~ /HEDDLE_SCENARIO/;
spew($gate, slurp("$FindBin::Bin/gate.c") =~ s/spin_lock\(&g->lock\);/spin_lock(&g->lock)/r);
fails('what clang rejects', qr/gate\.c does not compile: .*gate\.c:48:\d+: error/,
	$gate);
spew($gate, slurp("$FindBin::Bin/gate.c") =~ s/g->shut = true;/;/r);
($rc, $out, $err) = heddle('mutate', $gate);
ok $rc == 2 && $err =~ /no variant is clean as it is/ &&
	$out =~ /left out, not clean as it is: .*gate:whole/,
	'nothing that is clean without a mutant' or diag "$rc: $err$out";
($rc, $out) = heddle('mutate', '--help');
ok $rc == 0 && $out =~ /^usage: heddle mutate/ && $out =~ /unlock-early/, '--help';

# --- an interrupt leaves nothing behind --------------------------------------------------
spew($gate, slurp("$FindBin::Bin/gate.c"));
my $pid = fork // die;
if (!$pid) {
	open STDOUT, '>', "$dir/stopped" or die;
	exec $heddle, 'mutate', $gate or die;
}
select undef, undef, undef, 0.05 until slurp("$dir/stopped") =~ / -> / ||
	waitpid($pid, 1) == $pid; # WNOHANG
kill 'INT', $pid;
waitpid $pid, 0;
is $? >> 8, 130, 'interrupted';
is_deeply [ glob("$ENV{TMPDIR}/*") ], [], '... and no temporary files';
done_testing;
