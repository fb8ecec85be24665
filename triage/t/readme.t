#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Does README.md show what the commands print?  Each line of a block must be in
# the output, in this order; what a block leaves out is left out.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my @block = slurp("$FindBin::Bin/../../README.md") =~ /^```\w*\n(.*?)^```$/gms;

# The block that has this line.
sub block_with {
	my ($line) = @_;
	my @found = grep { /^\Q$line\E/m } @block;
	is scalar(@found), 1, "one block has '$line'";
	return $found[0] // '';
}

sub is_shown {
	my ($line, @args) = @_;
	my (undef, $out) = heddle(@args);
	my $missing = '';
	my $at = 0;

	for (grep { /\S/ } split /\n/, block_with($line)) {
		my $found = index "\n$out", "\n$_\n", $at;
		$missing = $_ if $found < 0;
		last if $missing;
		$at = $found + 1;
	}
	is $missing, '', "heddle @args";
}

is_shown(' read readers = 1', 'run', 'lost_wakeup');
is_shown('heddle: lock held', 'run', 'fault_vs_munmap:v6',
	'--want=held-at-user', "--out=$dir/out");
is_shown('0 preemptions: nothing new', 'explore', 'fault_vs_munmap:v7',
	'--preemptions=5');
is_shown('fault_vs_munmap:v10  vm_refcnt', 'explore', 'fault_vs_munmap:v10');
is_shown('v6: 6121 interleavings', 'diff', 'fault_vs_munmap:v6', 'v10');
is_shown('BUG: KCSAN: ', 'run', 'two_inits:plain');
is_shown('question 1: A lookup', 'explore', 'fault_vs_munmap', '--check');
is_shown(' holder ', 'run', 'timer_vs_holder', '--want=deadlock');
is_shown('src/mm/vma_lock_v10.c:90 ', 'mutate',
	"$FindBin::Bin/../../src/mm/vma_lock_v10.c",
	'--function=start_read', 'fault_vs_munmap:v10');

# the identity of the compiled models changes with any of them
my $saved = slurp("$dir/out/held-at-user-vm_lock.sched");
my $shown = block_with('heddle schedule 1');
s/^model [0-9a-f]{16}$/model ID/m for $saved, $shown;
is $shown, $saved, 'the saved schedule';

my $programs = block_with("readers\tT1:");
spew("$dir/programs", $programs);
is_shown("readers\treport:", 'lockdep', "$dir/programs");
is_shown("hidden\tkernel:", 'lockdep', '--exact', "$dir/programs");

# the table of the mails: each row names a scenario of that seed, and each seed
# has a row
my (undef, $json) = heddle('list', '--json');
my %seed = map { $_->{name} => $_->{seed} } @{decode_json($json)};
my ($table) = slurp("$FindBin::Bin/../../README.md") =~
	/^## The five mails\n(.*?)^## /ms;
my %row = reverse $table =~
	/^\| (\d{3}) \| `build\/heddle explore (\w+) --check` \|/mg;
is $seed{$_} // 'no such scenario', $row{$_}, "seed $row{$_}: $_"
	for sort keys %row;
my %missing = map { $_ => 1 } grep { defined } values %seed;
delete @missing{values %row};
is join(' ', sort keys %missing), '', 'each seed has a row';

done_testing;
