#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Reports of races: KCSAN's form, both accesses with their stacks, the change of
# the value, and which order is missing.  UPDATE=1 writes triage/golden/race.txt
# anew: read the difference.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my $golden = "$FindBin::Bin/../golden/race.txt";
my ($rc, $out, $err, %report);
my $all = '';

# --- every race of some variants, as mail
for (['two_inits:plain', 0], ['two_inits:read-once', 0],
     ['two_inits:half', 0], ['two_inits:claimed', 1],
     ['fault_vs_munmap:v6', 3], ['fault_vs_munmap:v10-early-free', 1]) {
	my ($variant, $bound) = @$_;
	my $found = "$dir/$variant";

	heddle('explore', $variant, "--preemptions=$bound", "--out=$found");
	for my $file (sort glob "$found/*-race-*.sched") {
		my ($name) = $file =~ m{([^/]+)\.sched$};

		($rc, $out, $err) = heddle('show', '--format=mail', $file);
		is $rc, 0, "$variant $name: shown" or diag $err;
		$out =~ s/^heddle replay \S*\//heddle replay /m;
		$report{"$variant $name"} = $out;
		$all .= "$out\n" . '=' x 72 . "\n\n";
	}
}
spew($golden, $all) if $ENV{UPDATE};
is $all, slurp($golden), 'the same reports, byte for byte';

# --- properties that each has
my $access = qr/(?:read|write|read-write|assert\ no\ \w+)(?:\ \(\w+\))?/x;
my $frames = qr/(?:^ \w+ +\S+:\d+\n)+/m;
for my $name (sort keys %report) {
	my $text = $report{$name};

	is join("\n", grep { length > 72 || /[^ -~]/ } split /\n/, $text), '',
		"$name: 72 columns of ASCII";
	like $text, qr/^heddle: (?:data-race|assert: race) in \w+ \/ \w+/,
		'... title with both functions';
	my ($f, $g) = $text =~ /^BUG: KCSAN: .*race in (\w+) \/ (\w+)$/m;
	cmp_ok $f, 'le', $g, '... in one order';
	like $text, qr/^$access\ to\ [\w.\[\]]+(?:\ of\ \d+\ bytes?)?\ by\s+task\s+
		\w+:\n$frames\n$access\ to\ [\w.\[\]]+(?:\ of\ \d+\ bytes?)?\ by\s+
		task\s+\w+:\n$frames/mx, '... two accesses with their stacks';
	like $text, qr/^value (?:changed: \S+ -> \S+|unchanged: \S+)$/m,
		'... the value' unless $text =~ /^assert no accesses \(free\)/m;
	like $text, qr/^not ordered: /m, '... and the missing order';
}

# --- what the examples are there for
my ($once) = map { $report{$_} } grep { /read-once/ } sort keys %report;
like $once, qr/^read to gadget.speed .*^write to gadget.speed /ms,
	'READ_ONCE and WRITE_ONCE do not order';
like $once, qr/first released \(mutex_unlock/, '... nor does the other lock';
my ($seq) = map { $report{$_} } grep { /v6 .*vm_lock_seq/ } sort keys %report;
like $seq, qr/^read\ to\ vm_area_struct.vm_lock_seq\ of\ 4\ bytes\ by\ task
	\ fault:\n\ vma_start_read.*^write\ \(marked\)\ to\ .*by\ task\ munmap:
	\n\ vma_start_write.*^value\ changed:\ 0x1\ ->\ 0x3$/msx,
	'v6: the second look is not ordered behind the writer';

# --- signatures are the same for both orders
($rc, $out) = heddle('explore', 'two_inits:plain',
	'--preemptions=none');
is result($out)->{signatures}, 'data-race:read:write:gadget.ready,' .
	'data-race:read:write:gadget.speed', 'one signature per pair of fields';
($rc, $out) = heddle('explore', 'two_inits:fixed',
	'--preemptions=none', '--check');
is $rc, 0, 'acquire and release: clean';

done_testing;
